using System.ComponentModel;
using Flywheel.Client;
using Flywheel.Core.Traces;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

/// <summary>The real agent framework over a scripted model.</summary>
public sealed class AgentTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Asks for the tool, then answers with what it gave.</summary>
    static ScriptedChatClient ToolUser() => new((messages, _) => Task.FromResult(new ChatResponse(
        messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().LastOrDefault() is { } result
            ? new ChatMessage(ChatRole.Assistant, $"Your order is {result.Result}.")
            : new ChatMessage(ChatRole.Assistant,
                [new FunctionCallContent("call-1", "order_status", new Dictionary<string, object?> { ["order"] = "A-1" })]))));

    static async Task<string> StatusAsync([Description("The order's number.")] string order)
    {
        await Task.Yield();
        return await FlywheelScope.RunAsync("orders_query", NodeKind.Tool, order, _ => Task.FromResult("shipped"));
    }

    static ChatClientAgent Agent(IChatClient model, FlywheelConnection connection) => new(
        model.UseFlywheel(connection, "agent", NodeKind.Writer),
        instructions: "Answer customers of a shop.", name: "support",
        tools: [AIFunctionFactory.Create(StatusAsync, "order_status").UseFlywheel()]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_agents_round_trips_and_tools_are_one_tree_of_spans(bool streamed)
    {
        var loop = ScriptedLoop.Showing(("where is B-2?", "On its way."));
        var model = ToolUser();
        await using var connection = new FlywheelConnection(loop, new() { MaxDelay = TimeSpan.Zero });
        var agent = Agent(model, connection);
        string text;

        using (FlywheelTrace.Start("chat-42", "ada", connection))
        using (var root = FlywheelScope.Node("support", NodeKind.Other))
        {
            root.Input = "Where is A-1?";
            if (streamed)
            {
                text = "";
                await foreach (var update in agent.RunStreamingAsync("Where is A-1?", cancellationToken: Ct))
                    text += update.Text;
            }
            else
                text = (await agent.RunAsync("Where is A-1?", cancellationToken: Ct)).Text;
            root.Output = text;
        }
        await connection.FlushAsync(Ct);

        Assert.Equal("Your order is shipped.", text);
        var spans = loop.Kept.ToList();
        Assert.Equal(["agent", "orders_query", "order_status", "agent", "support"], spans.Select(span => span.Node));
        var support = spans[4];
        Assert.All(spans, span => Assert.Equal((support.Key.Trace, "chat-42", "ada"), (span.Key.Trace, span.Session, span.EndUser)));
        Assert.Equal([support.Key.Span, spans[2].Key.Span, support.Key.Span, support.Key.Span, null], spans.Select(span => span.ParentId));
        Assert.Equal((NodeKind.Tool, """{"order":"A-1"}""", "shipped"), (spans[2].Kind, spans[2].Input, spans[2].Output!.Trim('"')));
        Assert.Contains("order_status", spans[0].Output, StringComparison.Ordinal);
        Assert.Equal("Your order is shipped.", spans[3].Output);
        // Both round trips carry the demonstration, after the agent's instructions and before its conversation.
        Assert.All(model.Prompts, prompt => Assert.Contains(prompt, message => message.Text == "On its way."));
        Assert.All([spans[0], spans[3]], span => Assert.Single(span.Demonstrations));
    }

    [Fact]
    public async Task A_tool_that_fails_is_a_failed_step_and_the_agent_goes_on()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, new() { MaxDelay = TimeSpan.Zero });
        var agent = new ChatClientAgent(
            ToolUser().UseFlywheel(connection, "agent"),
            tools: [AIFunctionFactory.Create(string (string order) => throw new TimeoutException("the database"), "order_status")
                .UseFlywheel(connection: connection)]);

        await agent.RunAsync("Where is A-1?", cancellationToken: Ct);
        await connection.FlushAsync(Ct);

        var tool = Assert.Single(loop.Kept, span => span.Node == "order_status");
        Assert.Equal("System.TimeoutException: the database", tool.Error);
        Assert.Equal(2, loop.Kept.Count(span => span.Node == "agent"));
    }
}
