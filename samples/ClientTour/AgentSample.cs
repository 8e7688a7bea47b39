using System.ComponentModel;
using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Traces;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;

namespace ClientTour;

/// <summary>An agent whose round trips and tools are one tree of spans.</summary>
static class AgentSample
{
    public static async Task RunAsync(Uri server, CancellationToken ct)
    {
        using var loop = new RemoteLoop(server);
        await using var connection = new FlywheelConnection(loop);

        var agent = new ChatClientAgent(
            ShopModel.ToolUser().UseFlywheel(connection, "agent", NodeKind.Writer),
            instructions: "Answer customers of a shop.",
            tools: [AIFunctionFactory.Create(OrderStatus, "order_status").UseFlywheel()]);

        using (FlywheelTrace.Start(session: "chat-42", endUser: "ada", connection))
        {
            var reply = await FlywheelScope.RunAsync(
                "support", NodeKind.Other, "Where is order A-1?", async stop => (await agent.RunAsync("Where is order A-1?", cancellationToken: stop)).Text, ct: ct);
            Console.WriteLine($"{reply}  (trace {FlywheelTrace.Current!.TraceId})");
        }
    }

    [Description("Where an order is.")]
    static string OrderStatus([Description("The order's number.")] string order) =>
        FlywheelScope.Run("orders_query", NodeKind.Tool, order, () => order == "A-1" ? "shipped" : "unknown");
}
