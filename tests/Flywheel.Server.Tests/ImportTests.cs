using System.Text.Json;
using Flywheel.Core.Judging;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Archives;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Server.Tests;

public sealed class ImportTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_row_that_cannot_be_right_is_named_and_the_rest_is_imported()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
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

        var result = await ImportAsync(server, lines);

        Assert.Equal([3, 4, 5, 6, 7], result.Rejected.Select(rejection => rejection.Row));
        Assert.Equal("The field `validator` is missing.", result.Rejected[0].Message);
        Assert.Equal(new Dictionary<string, long> { ["labels"] = 1, ["metrics"] = 1, ["spans"] = 1 }, result.Imported);
    }

    [Fact]
    public async Task A_label_of_an_item_that_was_served_with_a_suggestion_cannot_be_imported_as_blind()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        await ImportAsync(server,
            """{"trace_id": "t", "span_id": "s", "node": "intent", "kind": "classifier", "input": "a", "output": "b"}""",
            """{"type": "metric", "name": "short", "criterion": "Is it short?", "validator": {"kind": "length", "max": 9}}""",
            """{"type": "label", "id": "00000000-0000-0000-0000-000000000001", "trace_id": "t", "span_id": "s", "metric": "short", "passed": true, "mode": "blind"}""");
        var span = (await server.Store.Spans.FindAsync(ProjectId.Default, new("t", "s"), Ct))!;
        var metric = (await server.Store.Metrics.FindAsync(ProjectId.Default, "short", Ct))!;
        await server.Store.Serving.ServeAsync(
            ProjectId.Default, [new(span.Id, metric.Id, ServedMode.Suggested, "v", Outcome.Pass)], DateTimeOffset.UtcNow, Ct);

        var result = await ImportAsync(server,
            """{"type": "label", "id": "00000000-0000-0000-0000-000000000001", "trace_id": "t", "span_id": "s", "metric": "short", "passed": true, "mode": "blind"}""",
            """{"type": "label", "trace_id": "t", "span_id": "s", "metric": "short", "passed": true, "mode": "blind"}""",
            """{"type": "label", "trace_id": "t", "span_id": "s", "metric": "short", "passed": true}""");

        Assert.StartsWith("`mode` is blind, but the item was served with the judge's suggestion", Assert.Single(result.Rejected).Message,
            StringComparison.Ordinal);
        Assert.Equal([LabelMode.Blind, LabelMode.Accepted],
            (await server.Store.Labels.OfSpansAsync(ProjectId.Default, [span.Id], Ct)).Select(label => label.Mode));
    }

    static Task<RecordImportResult> ImportAsync(RunningServer server, params string[] lines) =>
        server.Services.GetRequiredService<RecordImportService>().ImportAsync(
            new Caller(ProjectId.Default, KeyScope.Admin, "import"), lines.Select((line, i) => (i + 1, JsonElement.Parse(line))), _ =>
                { }, Ct);
}
