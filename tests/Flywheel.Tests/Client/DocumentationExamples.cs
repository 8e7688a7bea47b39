using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Embedded;
using Flywheel.Engine.Models;
using Flywheel.Validators;
using Flywheel.Validators.Detection;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

/// <summary>The examples of docs/client.md, word for word, and each of them run.</summary>
public sealed class DocumentationExamples
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static async Task<string> FirstSteps(ILoop loop, IChatClient model, string message, CancellationToken ct)
    {
        await using var connection = new FlywheelConnection(loop);

        var intent = model.UseFlywheel(connection, node: "intent", kind: NodeKind.Classifier);

        var answer = await intent.GetResponseAsync(
            [new(ChatRole.System, "Answer with one of: billing, technical, general."), new(ChatRole.User, message)],
            cancellationToken: ct);
        return answer.Text;
    }

    static void Remote()
    {
        var loop = new RemoteLoop(new Uri("http://127.0.0.1:5151"), key: Environment.GetEnvironmentVariable("FLYWHEEL_API_KEY"));
        loop.Dispose();
    }

    static EmbeddedOptions FurtherKinds(IFlywheelStore store)
    {
        var options = new EmbeddedOptions
        {
            Validators = LeafValidators.All(new()
            {
                Tokens = new TokenCounter(),
                Detection = new(() =>
                    new LexicalEmbedder(), TimeProvider.System,
                    References: new StoredReferences(store.References, store.Spans, TimeProvider.System)),
            }),
        };
        return options;
    }

    static IChatClient Builder(IChatClient model, FlywheelConnection connection)
    {
        var agent = new ChatClientBuilder(model)
            .UseFunctionInvocation()
            .Use(inner => inner.UseFlywheel(connection, node: "agent", kind: NodeKind.Writer))
            .Build();
        return agent;
    }

    static IChatClient Wrapped(IChatClient model, FlywheelConnection connection)
    {
        var intent = model.UseFlywheel(connection, "intent", NodeKind.Classifier, node =>
        {
            node.ReadInput = messages => messages.Last().Text["Message: ".Length..];
            node.FormatInput = input => "Message: " + input;
            node.K = 8;
        });
        return intent;
    }

    static async Task<SpanKey?> Request(IChatClient intent, string message, CancellationToken ct)
    {
        using var trace = FlywheelTrace.Start(session: "chat-42", endUser: "ada");

        var routed = await intent.GetResponseAsync(message, cancellationToken: ct);

        using (var query = FlywheelScope.Node("orders_query", NodeKind.Tool))
        {
            query.Input = "SELECT count(*) FROM orders";
            try
            {
                query.Output = await CountOrdersAsync(query.Input, ct);
            }
            catch (TimeoutException late)
            {
                query.Fail(late);
            }
        }
        return routed.SpanKey();
    }

    static async Task Feedback(SpanKey key, CancellationToken ct)
    {
        using var api = new FlywheelApi(new Uri("http://127.0.0.1:5151"));
        await api.FeedbackAsync(key.Trace, key.Span, "solved", true, ct: ct);
        await api.ResponseFeedbackAsync("chatcmpl-1", "stars", 4, comment: "quick", ct: ct);
        await api.SessionFeedbackAsync("chat-42", "returned", true, ct: ct);
        await api.DemonstrateAsync(key, "It is on its way.", endUser: "ada", ct: ct);
        await api.LabelAsync(key, metric: "polite", passed: false, LabelMode.Blind, critique: "curt", author: "bo", ct: ct);
        await api.CorrectAsync(key, correctedOutput: "technical", wentWrong: "not about money", author: "bo", ct: ct);
    }

    static FlywheelConnection Watching(ILoop loop, Action<string> log)
    {
        var connection = new FlywheelConnection(loop, new FlywheelOptions
        {
            MaxPending = 50_000,
            OnFailure = failure => log($"{failure.Kind}: {failure.Message}"),
        });
        return connection;
    }

    static async Task<FlywheelStatistics> Durable(ILoop loop)
    {
        await using var connection = new FlywheelConnection(loop, new FlywheelOptions { Outbox = "/var/lib/shop/flywheel" });
        return connection.Statistics;
    }

    static Task<string> CountOrdersAsync(string sql, CancellationToken ct) =>
        sql.Length == 0 ? Task.FromException<string>(new TimeoutException()) : Task.FromResult("3").WaitAsync(ct);

    [Fact]
    public async Task The_examples_run()
    {
        var loop = ScriptedLoop.Showing(("where is it?", "general"));
        var model = new ScriptedChatClient("billing");
        var failures = new List<string>();
        Remote();

        Assert.Equal("billing", await FirstSteps(loop, model, "charged twice", Ct));
        await using var connection = Watching(loop, failures.Add);
        await Builder(model, connection).GetResponseAsync("hi", cancellationToken: Ct);
        var key = await Request(Wrapped(model, connection), "Message: charged twice", Ct);
        await connection.FlushAsync(Ct);

        Assert.Equal(["intent", "agent", "intent", "orders_query"], loop.Kept.Select(span => span.Node));
        Assert.Equal("Message: where is it?", model.Prompts.Last()[0].Text);
        Assert.Equal(loop.Kept.ElementAt(2).Key, key);
        Assert.Equal("3", loop.Kept.Last().Output);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Feedback(key!.Value, new(canceled: true)));
        Assert.Equal(0, (await Durable(loop)).Stored);
        Assert.Empty(failures);
    }
}
