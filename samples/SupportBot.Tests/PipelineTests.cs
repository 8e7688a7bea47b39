using Flywheel.Client;
using Flywheel.Core.Traces;
using Flywheel.Demo;
using Flywheel.Demo.Orders;

namespace SupportBot.Tests;

public sealed class PipelineTests : IDisposable
{
    readonly OrdersDatabase orders = OrdersDatabase.Create();
    readonly Dictionary<string, ScriptedModel> models = [];
    readonly Dictionary<string, NodeKind> kinds = [];
    readonly SupportMessage refund = SupportMessages.Load().First(message => message is { Sql: "refund_state", Language: "en" });

    public void Dispose() => orders.Dispose();

    [Fact]
    public async Task A_good_model_gives_the_expected_rows_and_reply_for_every_message()
    {
        foreach (var message in SupportMessages.Load())
        {
            var answer = await Pipeline(node => message.ExpectedOutput(node) ?? "A draft.").AskAsync(message, Ct);

            Assert.Equal(message.Intent, answer.Intent);
            Assert.Equal(message.ReferenceSql, answer.Sql);
            Assert.Equal(message.ExpectedRows?.Count, answer.Orders?.Rows.Count);
            Assert.True(answer.IsAnswered, message.Id);
            Assert.DoesNotContain("{", answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Only_the_specialist_that_the_classifier_named_is_asked()
    {
        var answer = await Pipeline(node => node == "intent" ? "Option: Technical." : "NONE").AskAsync(refund, Ct);

        Assert.Equal("technical", answer.Intent);
        Assert.Equal(["intent", "technical", "orders_sql", "answer"], answer.Steps.Select(step => step.Node));
        Assert.Single(models["technical"].Asked);
        Assert.Empty(models["billing"].Asked);
        Assert.Empty(models["general"].Asked);
    }

    [Fact]
    public async Task A_route_that_nobody_serves_goes_to_the_general_specialist()
    {
        var answer = await Pipeline(node => node == "intent" ? "shipping" : "NONE").AskAsync(refund, Ct);

        Assert.Equal("general", answer.Intent);
        Assert.Equal("shipping", answer.Step("intent")!.Output);
    }

    [Fact]
    public async Task A_statement_in_a_code_fence_runs()
    {
        var answer = await Pipeline(node => node switch
        {
            "orders_sql" => $"```sql\n{refund.ReferenceSql}\n```",
            "answer" => "It is {state}.",
            _ => "billing",
        }).AskAsync(refund, Ct);

        Assert.Equal(refund.ReferenceSql, answer.Sql);
        Assert.Equal($"It is {refund.ExpectedRows![0]["state"]}.", answer.Text);
        Assert.Equal(NodeKind.Tool, answer.Step("orders_query")!.Kind);
    }

    [Fact]
    public async Task A_statement_that_asks_for_everybody_gives_the_signed_in_customer_only()
    {
        var answer = await Pipeline(node => node switch
        {
            "orders_sql" => "SELECT customer_id, email FROM customers",
            "answer" => "Here: {rows}",
            _ => "general",
        }).AskAsync(refund, Ct);

        Assert.Equal(refund.CustomerId, (long)Assert.Single(answer.Orders!.Rows)["customer_id"]!);
    }

    [Fact]
    public async Task A_wrong_statement_is_in_the_answer_and_the_customer_gets_a_sentence()
    {
        var answer = await Pipeline(node => node switch
        {
            "orders_sql" => "SELECT moon FROM cheese",
            "answer" => "Your refund is {state}.",
            _ => "billing",
        }).AskAsync(refund, Ct);

        Assert.Contains("cheese", answer.Orders!.Error, StringComparison.Ordinal);
        Assert.False(answer.IsAnswered);
        Assert.Contains("colleague", answer.Text, StringComparison.Ordinal);
        Assert.Contains("Facts: not available", answer.Step("answer")!.Input, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_value_from_the_database_enters_a_prompt()
    {
        var answer = await Pipeline(node => refund.ExpectedOutput(node) ?? "A draft.").AskAsync(refund, Ct);

        var number = answer.Orders!.Rows[0]["order_number"]!.ToString();
        var prompts = models.Values.SelectMany(model => model.Asked).SelectMany(prompt => prompt).Select(message => message.Text);
        Assert.Contains(number, answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(prompts, prompt => prompt.Contains(number, StringComparison.Ordinal));
        Assert.Contains("{order_number}, {amount_eur}, {state}", answer.Step("answer")!.Input, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flywheel_sees_one_trace_with_a_span_for_each_step()
    {
        var loop = new RecordingLoop();
        await using var flywheel = new FlywheelConnection(loop);
        var model = new ScriptedModel("", _ => "NONE");
        var pipeline = new SupportPipeline(model, orders, new SupportBotOptions(), (node, kind, _) =>
            new ScriptedModel(node, asked => refund.ExpectedOutput(asked) ?? "A draft.").UseFlywheel(flywheel, node, kind));

        var answer = await pipeline.AskAsync(refund, Ct);
        await flywheel.FlushAsync(Ct);

        var root = Assert.Single(loop.Spans, span => span.ParentId is null);
        Assert.Equal(("support", answer.Root, refund.Text, answer.Text), (root.Node, root.Key, root.Input, root.Output));
        var children = loop.Spans.Where(span => span.ParentId == root.Key.Span).OrderBy(span => span.StartedAt).ToList();
        Assert.Equal(answer.Steps.Select(step => step.Span), children.Select(span => (SpanKey?)span.Key));
        Assert.Equal(
            [("intent", NodeKind.Classifier), ("billing", NodeKind.Writer), ("orders_sql", NodeKind.Codegen),
                ("orders_query", NodeKind.Tool), ("answer", NodeKind.Writer)],
            children.Select(span => (span.Node, span.Kind)));
        Assert.Equal(loop.Spans.Count, children.Count + 1);
        Assert.All(loop.Spans, span => Assert.Equal(
            (root.Key.Trace, refund.Session, $"customer-{refund.CustomerId}"), (span.Key.Trace, span.Session, span.EndUser)));
        Assert.Equal(refund.Text, children[0].Input);
    }

    [Fact]
    public async Task An_approved_example_teaches_the_offline_model()
    {
        var loop = new RecordingLoop();
        await using var flywheel = new FlywheelConnection(loop);
        using var offline = SupportModel.Of(new SupportBotOptions());
        var pipeline = new SupportPipeline(offline, orders, new SupportBotOptions(),
            (node, kind, inner) => inner.UseFlywheel(flywheel, node, kind, options => options.RetrievalDeadline = Timeout.InfiniteTimeSpan));
        var ignorant = await pipeline.AskAsync(refund, Ct);

        foreach (var node in new[] { "intent", "orders_sql", "answer" })
            loop.Examples[node] = new(Guid.NewGuid(), ignorant.Step(node)!.Input, refund.ExpectedOutput(node)!, IsFixed: true, 1, []);
        var taught = await pipeline.AskAsync(refund, Ct);

        Assert.NotEqual(refund.ReferenceSql, ignorant.Sql);
        Assert.NotNull(ignorant.Orders!.Error);
        Assert.Equal("billing", taught.Intent);
        Assert.Equal(refund.ReferenceSql, taught.Sql);
        Assert.Equal(FactText.Fill(refund.ExpectedAnswer!, refund.ExpectedRows!), taught.Text);
    }

    [Fact]
    public async Task A_model_that_fails_is_seen_by_the_application_and_in_the_trace()
    {
        var loop = new RecordingLoop();
        await using var flywheel = new FlywheelConnection(loop);
        var pipeline = new SupportPipeline(
            new ScriptedModel("", _ => throw new HttpRequestException("no route")), orders, new SupportBotOptions(),
            (node, kind, inner) => inner.UseFlywheel(flywheel, node, kind));

        await Assert.ThrowsAsync<HttpRequestException>(() => pipeline.AskAsync(refund, Ct));
        await flywheel.FlushAsync(Ct);

        Assert.Equal(["intent", "support"], loop.Spans.Select(span => span.Node).Order());
        Assert.All(loop.Spans, span => Assert.Contains("no route", span.Error, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_model_node_gets_the_hook_with_its_kind()
    {
        Pipeline(_ => "");

        Assert.Equal(NodeKind.Classifier, kinds["intent"]);
        Assert.Equal(NodeKind.Codegen, kinds["orders_sql"]);
        Assert.Equal(["answer", "billing", "general", "technical"], kinds.Where(kind => kind.Value == NodeKind.Writer).Select(kind => kind.Key).Order());
        Assert.Equal(6, kinds.Count);
    }

    [Fact]
    public void Options_come_from_the_environment_and_half_a_provider_is_refused()
    {
        Assert.Null(SupportBotOptions.FromEnvironment(_ => null).Endpoint);
        var options = SupportBotOptions.FromEnvironment(name => name == "SUPPORTBOT_ENDPOINT" ? "http://127.0.0.1:9/v1" : "x");
        Assert.Equal(new Uri("http://127.0.0.1:9/v1"), options.Endpoint);
        Assert.Equal("x", options.Model);

        Assert.Contains("SUPPORTBOT_MODEL", Refused(("SUPPORTBOT_ENDPOINT", "http://127.0.0.1:9/v1")), StringComparison.Ordinal);
        Assert.Contains("SUPPORTBOT_ENDPOINT", Refused(("SUPPORTBOT_API_KEY", "k")), StringComparison.Ordinal);
        Assert.Contains("'nowhere'", Refused(("SUPPORTBOT_ENDPOINT", "nowhere"), ("SUPPORTBOT_MODEL", "m")), StringComparison.Ordinal);
    }

    static string Refused(params (string Name, string Value)[] set) =>
        Assert.Throws<ArgumentException>(() => SupportBotOptions.FromEnvironment(
            name => set.FirstOrDefault(variable => variable.Name == name).Value)).Message;

    SupportPipeline Pipeline(Func<string, string> reply)
    {
        models.Clear();
        kinds.Clear();
        return new(new ScriptedModel("", reply), orders, new SupportBotOptions(), (node, kind, _) =>
        {
            kinds[node] = kind;
            return models[node] = new ScriptedModel(node, reply);
        });
    }

    static CancellationToken Ct => TestContext.Current.CancellationToken;
}
