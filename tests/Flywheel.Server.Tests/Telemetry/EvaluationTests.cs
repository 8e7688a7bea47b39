using System.Text.Json;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.TestServer;

namespace Flywheel.Server.Tests.Telemetry;

/// <summary>What evaluators and people elsewhere said, over OTLP.</summary>
public sealed class EvaluationTests
{
    const string Trace = "0af7651916cd43dd8448eb211c80319c", Judged = "00f067aa0ba902b7";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static object Value(object value) => value switch
    {
        string text => new { stringValue = text },
        bool truth => new { boolValue = truth },
        _ => new { doubleValue = Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture) },
    };

    static object[] Attributes((string Key, object Value)[] attributes) =>
        [.. attributes.Select(one => new { key = one.Key, value = Value(one.Value) })];

    static byte[] Logs(params object[] records) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        resourceLogs = new[] { new { scopeLogs = new[] { new { scope = new { name = "ragas", version = "1.0" }, logRecords = records } } } },
    });

    static object Record(string? trace, string? span, params (string, object)[] attributes) => new
    {
        timeUnixNano = "1764000001000000000", eventName = "gen_ai.evaluation.result", traceId = trace ?? "", spanId = span ?? "",
        attributes = Attributes(attributes),
    };

    static object Span(string id, (string, object)[] attributes, params object[] events) => new
    {
        traceId = Trace, spanId = id, name = "chat", kind = 3, startTimeUnixNano = "1764000000000000000",
        endTimeUnixNano = "1764000000012345678",
        attributes = Attributes([("gen_ai.operation.name", "chat"), ("gen_ai.response.id", "resp-" + id), .. attributes]), events,
    };

    static async Task SendAsync(RunningServer server, byte[] body, string path = "/v1/logs", params (string, string)[] headers)
    {
        var (status, reply, _) = await Otlp.SendAsync(server.Http, path, body, Otlp.Json, headers: headers);
        Assert.Equal((200, "{}"), (status, System.Text.Encoding.UTF8.GetString(reply)));
    }

    static async Task<IReadOnlyDictionary<string, (string Outcome, string? Reason, string Version)>> VerdictsAsync(
        RunningServer server, int count, string span = Judged)
    {
        var trace = await server.EventuallyAsync($"/api/v1/traces/{Trace}", body => Of(body).GetArrayLength() == count);
        return Of(trace).EnumerateArray().ToDictionary(
            verdict => verdict.GetProperty("metric").GetString()!,
            verdict => (verdict.GetProperty("outcome").GetString()!, verdict.GetProperty("reason").GetString(),
                verdict.GetProperty("validator_version").GetString()!));

        JsonElement Of(JsonElement body) =>
            body.GetProperty("spans").EnumerateArray().First(each => each.GetProperty("span_id").GetString() == span)
                .GetProperty("verdicts");
    }

    [Fact]
    public async Task Results_become_verdicts_of_proposed_metrics_in_either_order_and_once()
    {
        await using var server = await RunningServer.StartAsync();
        var records = Logs(
            Record(Trace, Judged, ("gen_ai.evaluation.name", "Answer Relevance"), ("gen_ai.evaluation.score.value", 0.5),
                ("gen_ai.evaluation.score.label", "pass"), ("gen_ai.evaluation.explanation", "On topic.")),
            Record(null, null, ("gen_ai.evaluation.name", "toxicity"), ("gen_ai.evaluation.score.value", 0),
                ("gen_ai.response.id", "resp-" + Judged)),
            Record(Trace, "00f067aa0ba902ff", ("gen_ai.evaluation.name", "vague"), ("gen_ai.evaluation.score.value", 0.7),
                ("gen_ai.response.id", "resp-" + Judged)),
            Record(Trace, Judged, ("gen_ai.evaluation.name", "broken"), ("error.type", "timeout")));

        await SendAsync(server, records);
        await SendAsync(server, Otlp.Request(Span(
            Judged, [("annotations.0.annotation.name", "fluency"), ("annotations.0.annotation.label", "incorrect"),
                ("annotations.0.annotation.annotator_kind", "LLM"), ("evaluations.0.name", "grounded"), ("evaluations.0.score", 1)],
            new { name = "gen_ai.evaluation.result", timeUnixNano = "1764000000500000000",
                attributes = Attributes([("gen_ai.evaluation.name", "inside"), ("gen_ai.evaluation.score.label", "fail")]) })),
                    "/v1/traces");
        var verdicts = await VerdictsAsync(server, 7);
        await SendAsync(server, records);
        await Task.Delay(1_500, Ct);

        Assert.Equal(("pass", "On topic.", "external:ragas@1.0"), verdicts["answer-relevance"]);
        Assert.Equal(
            new Dictionary<string, string> { ["toxicity"] = "fail", ["vague"] = "unsure", ["broken"] = "error", ["fluency"] = "fail",
                ["grounded"] = "pass", ["inside"] = "fail", ["answer-relevance"] = "pass" },
            verdicts.ToDictionary(each => each.Key, each => each.Value.Outcome));
        Assert.Equal(7, (await VerdictsAsync(server, 7)).Count);
        var metric = (await server.Store.Metrics.FindAsync(ProjectId.Default, "answer-relevance", Ct))!;
        Assert.Equal((MetricState.Proposed, ValidatorSpec.External, "otlp"), (metric.State, metric.Validator.Kind, metric.Author));
        Assert.Equal(1, (await server.GetAsync("/api/v1/metrics/answer-relevance/summary")).Body.GetProperty("versions")[0]
            .GetProperty("verdicts").GetProperty("pass").GetInt32());
        Assert.Empty((await server.GetAsync("/api/v1/review")).Body.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task A_metric_of_ours_keeps_its_verdicts_and_settings_say_what_a_score_means()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync("/api/v1/metrics", """{"name":"short","criterion":"Is it short?","validator":{"kind":"length","max":10}}""");
        var (made, problem) = await server.PostAsync(
            "/api/v1/metrics", """{"name":"toxicity","criterion":"Is it harmless?","validator":{"kind":"external","pass_at_most":0.3,"pass_labels":["clean"]}}""");
        Assert.True(made == 201, problem.ToString());
        Assert.Equal(400, (await server.PostAsync(
            "/api/v1/metrics", """{"name":"t2","criterion":"c?","validator":{"kind":"external","pass_at_least":2,"pass_at_most":1}}"""))
                .Status);
        Assert.Equal(409, (await server.PostAsync("/api/v1/metrics/toxicity/backfill", "{}")).Status);

        await SendAsync(server, Otlp.Request(Span(Judged, [("output.value", "A long answer it is.")])), "/v1/traces");
        await SendAsync(server, Logs(
            Record(Trace, Judged, ("gen_ai.evaluation.name", "short"), ("gen_ai.evaluation.score.label", "pass")),
            Record(Trace, Judged, ("gen_ai.evaluation.name", "toxicity"), ("gen_ai.evaluation.score.value", 0.25))));

        var verdicts = await VerdictsAsync(server, 3);
        Assert.Equal(("fail", "pass", "pass"),
            (verdicts["short"].Outcome, verdicts["short.external"].Outcome, verdicts["toxicity"].Outcome));
    }

    [Fact]
    public async Task What_people_said_is_a_label_of_an_admins_key_and_a_proposal_of_any_other_and_gold_only_when_declared_blind()
    {
        await using var server = await RunningServer.StartAsync(("Auth", "Keys"));
        async Task<string> KeyAsync(KeyScope scope)
        {
            var secret = KeySecret.New();
            await server.Store.Projects.AddKeyAsync(
                new(Guid.CreateVersion7(), ProjectId.Default, "k", secret[..10], scope, DateTimeOffset.UtcNow, null, null),
                KeySecret.HashOf(secret), Ct);
            return "Bearer " + secret;
        }

        var (ingest, admin) = (await KeyAsync(KeyScope.Ingest), await KeyAsync(KeyScope.Admin));
        server.Http.DefaultRequestHeaders.TryAddWithoutValidation("x-none", "");
        var metric = (await server.Store.Metrics.AddAsync(
            ProjectId.Default, new NewMetric(
                "polite", "Is it polite?", MetricSubject.Output, null, null, 1,
                new("length", JsonSerializer.SerializeToElement(new { max = 1000 })), "ann"), true, DateTimeOffset.UtcNow, Ct))!;
        (string, object)[] Human(string author, string label, bool blind) =>
        [
            ("gen_ai.evaluation.name", "polite"), ("gen_ai.evaluation.score.label", label), ("flywheel.evaluation.source", "human"),
            ("flywheel.evaluation.author", author),
            ("flywheel.evaluation.blind", blind),
        ];
        await SendAsync(server, Otlp.Request(
            Span(Judged, [("annotations.0.annotation.name", "polite"), ("annotations.0.annotation.score", 0),
                ("annotations.0.annotation.annotator_kind", "HUMAN")])), "/v1/traces", ("Authorization", ingest));
        // Whoever may only send spans cannot make gold, whatever it declares.
        await SendAsync(server, Logs(Record(Trace, Judged, Human("eve", "pass", true))), headers: ("Authorization", ingest));
        await SendAsync(server, Logs(Record(Trace, Judged, Human("bo", "fail", false)), Record(Trace, Judged, Human("ann", "pass", true))),
            headers: ("Authorization", admin));

        var span = (await server.Store.Spans.FindAsync(ProjectId.Default, new(Trace, Judged), Ct))!;
        IReadOnlyList<Label> labels = [];
        IReadOnlyList<Core.Review.ProposedLabel> proposals = [];
        await Eventually.IsAsync(
            async () =>
            {
                labels = await server.Store.Labels.OfSpansAsync(ProjectId.Default, [span.Id], Ct);
                proposals = await server.Store.ProposedLabels.OfSpansAsync(ProjectId.Default, [span.Id], Ct);
                return labels.Count >= 2 && proposals.Count >= 2;
            },
            Ct);

        Assert.Equal([("ann", true, LabelMode.Blind), ("bo", false, LabelMode.Accepted)],
            labels.OrderBy(label => label.Author).Select(label => (label.Author, label.Passed, label.Mode)));
        Assert.Equal([("elsewhere:eve", true), ("elsewhere:test", false)],
            proposals.OrderBy(each => each.Author).Select(each => (each.Author, each.Passed)));
        Assert.All(labels, label => Assert.Equal(metric.Id, label.Metric));
    }

    [Theory]
    [InlineData("no name")]
    [InlineData("no result")]
    [InlineData("nothing that it is about")]
    public async Task A_result_that_says_nothing_is_refused_alone(string what)
    {
        await using var server = await RunningServer.StartAsync();
        var good = Record(Trace, Judged, ("gen_ai.evaluation.name", "fine"), ("gen_ai.evaluation.score.value", 1));
        var bad = what switch
        {
            "no name" => Record(Trace, Judged, ("gen_ai.evaluation.score.value", 1)),
            "no result" => Record(Trace, Judged, ("gen_ai.evaluation.name", "x")),
            _ => Record(null, null, ("gen_ai.evaluation.name", "x"), ("gen_ai.evaluation.score.value", 1)),
        };

        var (status, reply, _) = await Otlp.SendAsync(server.Http, "/v1/logs", Logs(good, bad), Otlp.Json);

        var partial = JsonDocument.Parse(reply).RootElement.GetProperty("partialSuccess");
        Assert.Equal((200, "1"), (status, partial.GetProperty("rejectedLogRecords").GetString()));
        Assert.Contains("gen_ai.evaluation.name", partial.GetProperty("errorMessage").GetString(), StringComparison.Ordinal);
        await SendAsync(server, Otlp.Request(Span(Judged, [])), "/v1/traces");
        Assert.Equal("pass", (await VerdictsAsync(server, 1))["fine"].Outcome);
    }
}
