using System.Text.Json;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>Metrics that cannot work are refused when saved, with the field, the reason and the remedy; beside each one that can.</summary>
public sealed class RefusedMetricTests
{
    [Theory]
    [InlineData("output", """{"kind":"regex","pattern":"(a+)\\1"}""", "validator.pattern", "back-reference",
        """{"kind":"regex","pattern":"(a+)b"}""")]
    [InlineData("output", """{"kind":"regex","pattern":"(?=a)b"}""", "validator.pattern", "look-around",
        """{"kind":"regex","pattern":"ab"}""")]
    [InlineData("input", """{"kind":"input.topic","topics":[{"topic":"billing","text":"Where is my invoice?"}]}""", "validator.topics",
        "at least two example inputs",
        """{"kind":"input.topic","topics":[{"topic":"billing","text":"Where is my invoice?"},{"topic":"billing","text":"I want a refund"}]}""")]
    [InlineData("output", """{"kind":"sql-expression","expression":"length(outptu) > 5"}""", "validator.expression", "output",
        """{"kind":"sql-expression","expression":"length(output) > 5"}""")]
    [InlineData("output", """{"kind":"webhook","url":"https://10.0.0.7/check","key":"main"}""", "validator.url", "Webhooks:Allow",
        """{"kind":"webhook","url":"https://93.184.216.34/check","key":"main"}""")]
    [InlineData("output", """{"kind":"code.csharp","ignore":"all"}""", "validator.ignore", "CS0168",
        """{"kind":"code.csharp","ignore":"CS0168","fail_on":"warning"}""")]
    [InlineData("output", """{"kind":"code.csharp","fail_on":"never"}""", "validator.fail_on", "`warning`", """{"kind":"code.csharp"}""")]
    [InlineData("output", """{"kind":"code.javascript","module":true,"tests":"f() === 1"}""", "validator.module", "remove one of the two",
        """{"kind":"code.javascript","tests":"f() === 1"}""")]
    [InlineData("output", """{"kind":"code.sql","database":"/etc/passwd"}""", "validator.database", "no configured database",
        """{"kind":"code.csharp","form":"members"}""")]
    public async Task A_metric_that_cannot_work_is_refused_when_saved(string subject, string bad, string field, string remedy, string good)
    {
        await using var server = await StartAsync(("Webhooks:Keys:main", "open sesame"));

        var (status, problem) = await server.PostAsync("/api/v1/metrics", Metric(subject, bad));

        Assert.True(status == 400, $"{status} {problem}");
        Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.Contains(remedy, problem.GetProperty("detail").GetString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(404, (await server.GetAsync("/api/v1/metrics/m")).Status);
        var (saved, answer) = await server.PostAsync("/api/v1/metrics", Metric(subject, good));
        Assert.True(saved == 201, $"{saved} {answer}");
    }

    [Fact]
    public async Task A_metric_of_code_that_is_saved_over_HTTP_judges_spans()
    {
        await using var server = await StartAsync();
        Assert.Equal(201, (await server.PostAsync(
            "/api/v1/metrics", Metric("output", """{"kind":"code.javascript","tests":["add(1, 2) === 3"]}"""))).Status);

        await server.AddSpansAsync(
            Span("t", "right", "gen", "codegen", output: "function add(a, b) { return a + b }"),
            Span("t", "wrong", "gen", "codegen", output: "function add(a, b) { return a - b }"));

        var trace = await server.EventuallyAsync("/api/v1/traces/t", body => Outcomes(body).Count == 2);
        Assert.Equal(new Dictionary<string, string> { ["right"] = "pass", ["wrong"] = "fail" }, Outcomes(trace));
    }

    [Fact]
    public async Task A_configured_evaluator_judges_spans_and_a_broken_one_stops_the_start()
    {
        await using var server = await StartAsync(("Evaluators:short:Type", typeof(ShortEvaluator).AssemblyQualifiedName!));
        Assert.Equal(201, (await server.PostAsync(
            "/api/v1/metrics", Metric("output", """{"kind":"evaluator","evaluator":"short","max":5}"""))).Status);

        await server.AddSpansAsync(Span("t", "right", output: "short"), Span("t", "wrong", output: "longer than that"));

        var trace = await server.EventuallyAsync("/api/v1/traces/t", body => Outcomes(body).Count == 2);
        Assert.Equal(new Dictionary<string, string> { ["right"] = "pass", ["wrong"] = "fail" }, Outcomes(trace));
        var error = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(("Evaluators:short:Type", "No.Such, Nowhere")));
        Assert.Contains("there is no type", error.Message, StringComparison.Ordinal);
    }

    static string Metric(string subject, string validator) =>
        $$"""{"name":"m","criterion":"?","subject":"{{subject}}","validator":{{validator}}}""";

    /// <summary>By span id.</summary>
    static Dictionary<string, string> Outcomes(JsonElement trace) => trace.GetProperty("spans").EnumerateArray()
        .Where(span => span.TryGetProperty("verdicts", out var verdicts) && verdicts.GetArrayLength() > 0)
        .ToDictionary(span => span.GetProperty("span_id").GetString()!, span =>
            span.GetProperty("verdicts")[0].GetProperty("outcome").GetString()!);
}
