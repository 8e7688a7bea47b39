using System.ComponentModel;
using Flywheel.Client;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using FunctionCallContent = Microsoft.Extensions.AI.FunctionCallContent;
using FunctionResultContent = Microsoft.Extensions.AI.FunctionResultContent;

namespace Flywheel.Tests.Client;

/// <summary>The real Semantic Kernel over a scripted model: prompts, its chat service and its functions.</summary>
public sealed class SemanticKernelTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static ScriptedChatClient ToolUser() => new((messages, _) => Task.FromResult(new ChatResponse(
        messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().LastOrDefault() is { } result
            ? new ChatMessage(ChatRole.Assistant, $"Your order is {result.Result}.")
            : new ChatMessage(ChatRole.Assistant, [new FunctionCallContent("call-1", "orders_status", new Dictionary<string, object?> { ["order"] = "A-1" })]))));

    static Kernel Kernel(IChatClient model, FlywheelConnection connection)
    {
        var builder = Microsoft.SemanticKernel.Kernel.CreateBuilder();
        builder.Services.AddSingleton(model.UseFlywheel(connection, "kernel", NodeKind.Writer).AsBuilder().UseKernelFunctionInvocation().Build());
        builder.Plugins.AddFromType<Orders>("orders");
        return builder.Build();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_prompts_round_trips_and_functions_are_one_tree_of_spans(bool streamed)
    {
        var loop = ScriptedLoop.Showing(("where is B-2?", "On its way."));
        var model = ToolUser();
        await using var connection = new FlywheelConnection(loop, new() { MaxDelay = TimeSpan.Zero });
        var kernel = Kernel(model, connection);
        var arguments = new KernelArguments(new PromptExecutionSettings { FunctionChoiceBehavior = FunctionChoiceBehavior.Auto() }) { ["order"] = "A-1" };
        var text = "";

        using (FlywheelTrace.Start("chat-42", "ada", connection))
        using (FlywheelScope.Node("support", NodeKind.Other))
            if (streamed)
                await foreach (var piece in kernel.InvokePromptStreamingAsync("Where is {{$order}}?", arguments, cancellationToken: Ct))
                    text += piece;
            else
                text = (await kernel.InvokePromptAsync("Where is {{$order}}?", arguments, cancellationToken: Ct)).ToString();
        await connection.FlushAsync(Ct);

        Assert.Equal("Your order is shipped.", text);
        var spans = loop.Kept.ToList();
        Assert.Equal(["kernel", "orders_query", "kernel", "support"], spans.Select(span => span.Node));
        Assert.All(spans, span => Assert.Equal((spans[3].Key.Trace, "chat-42", "ada"), (span.Key.Trace, span.Session, span.EndUser)));
        Assert.Equal("Where is A-1?", spans[0].Input);
        Assert.Contains("orders_status", spans[0].Output, StringComparison.Ordinal);
        Assert.Equal("Your order is shipped.", spans[2].Output);
        Assert.All(model.Prompts, prompt => Assert.Contains(prompt, message => message.Text == "On its way."));
        Assert.All([spans[0], spans[2]], span => Assert.Single(span.Demonstrations));
    }

    [Fact]
    public async Task Its_chat_service_is_recorded_and_a_failing_model_is_a_failed_span()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, new() { MaxDelay = TimeSpan.Zero });
        var fails = false;
        var kernel = Kernel(
            new ScriptedChatClient((_, _) => fails ? throw new HttpRequestException("no route") : Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, "Hello Ada.")))),
            connection);
        var chat = kernel.GetRequiredService<IChatClient>().AsChatCompletionService();
        var history = new ChatHistory("You greet people.");
        history.AddUserMessage("I am Ada.");

        var answer = await chat.GetChatMessageContentAsync(history, cancellationToken: Ct);
        fails = true;
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => chat.GetChatMessageContentAsync(history, cancellationToken: Ct));
        await connection.FlushAsync(Ct);

        Assert.Equal("Hello Ada.", answer.Content);
        Assert.Contains("no route", fault.ToString(), StringComparison.Ordinal);
        Assert.Equal([("I am Ada.", "Hello Ada."), ("I am Ada.", null)], loop.Kept.Select(span => (span.Input!, span.Output)));
        Assert.Contains("no route", loop.Kept.Last().Error, StringComparison.Ordinal);
    }

    sealed class Orders
    {
        [KernelFunction("status"), Description("Where an order is.")]
        public async Task<string> StatusAsync([Description("The order's number.")] string order)
        {
            await Task.Yield();
            return await FlywheelScope.RunAsync("orders_query", NodeKind.Tool, order, _ => Task.FromResult("shipped"));
        }
    }
}
