using Flywheel.Server.Cli;

namespace Flywheel.Server.Tests;

public sealed class ImportTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_row_that_cannot_be_right_is_named_and_the_rest_is_imported()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        var importer = new RecordImporter(
            server.Store, server.Store.Intake(), Core.Projects.ProjectId.Default,
            (Flywheel.Engine.Metrics.MetricRules)server.Services.GetService(typeof(Flywheel.Engine.Metrics.MetricRules))!, TimeProvider.System);
        string[] lines =
        [
            """{"trace_id": "t", "span_id": "s", "node": "intent", "kind": "classifier", "input": "a", "output": "b"}""",
            """{"type": "metric", "name": "short", "criterion": "Is it short?", "validator": {"kind": "length", "max": 9}}""",
            """{"type": "metric", "name": "no-validator", "criterion": "Is it?"}""",
            """{"type": "feedback", "trace_id": "t", "name": "no-value"}""",
            """{"type": "label", "trace_id": "t", "span_id": "s", "metric": "short", "passed": true, "propensity": 7}""",
            """{"type": "label", "trace_id": "t", "span_id": "s", "metric": "short", "passed": "maybe"}""",
            """{"type": "correction", "trace_id": "t", "span_id": "s", "corrected_output": "a\u0000b"}""",
            """{"type": "label", "trace_id": "t", "span_id": "s", "metric": "short", "passed": true}""",
        ];

        for (var i = 0; i < lines.Length; i++)
            await importer.AddAsync(i + 1, System.Text.Json.JsonElement.Parse(lines[i]), Ct);
        await importer.FlushAsync(Ct);

        Assert.Equal([3, 4, 5, 6, 7], importer.Rejected.Select(rejection => rejection.Line));
        Assert.Equal("The field `validator` is missing.", importer.Rejected[0].Message);
        Assert.Equal(new Dictionary<string, long> { ["labels"] = 1, ["metrics"] = 1, ["spans"] = 1 }, importer.Imported);
    }
}
