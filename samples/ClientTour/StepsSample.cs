using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Traces;

namespace ClientTour;

/// <summary>Steps that are no model call, nested as they run.</summary>
static class StepsSample
{
    public static async Task RunAsync(Uri server, CancellationToken ct)
    {
        using var loop = new RemoteLoop(server);
        await using var connection = new FlywheelConnection(loop);
        using var trace = FlywheelTrace.Start(session: "chat-42", endUser: "ada", connection);

        var orders = await FlywheelScope.RunAsync("orders_query", NodeKind.Tool, "SELECT count(*) FROM orders", CountAsync, ct: ct);

        var shelves = await FlywheelScope.RunAsync("shelf_search", NodeKind.Retriever, new { words = "kettle", orders }, async (step, stop) =>
        {
            var found = await SearchAsync("kettle", stop);
            step.Set("rows", found.Length);
            return found;
        }, ct: ct);

        Console.WriteLine($"{orders} orders, {string.Join(", ", shelves)}  (trace {trace.TraceId})");
    }

    static Task<int> CountAsync(CancellationToken ct) => Task.FromResult(3).WaitAsync(ct);

    static Task<string[]> SearchAsync(string words, CancellationToken ct) => Task.FromResult(new[] { words + " 1", words + " 2" }).WaitAsync(ct);
}
