using System.Diagnostics;
using Flywheel.TestServer;

namespace Flywheel.Crash.Tests;

/// <summary>How the (span, active metric) pairs of a file stand.</summary>
/// <param name="Open">Spans to pair and jobs to do.</param>
/// <param name="Missing">Pairs without an outcome.</param>
/// <param name="Doubled">Pairs with more than one.</param>
/// <param name="Uncounted">Cells of the counts that differ from their recomputation.</param>
/// <param name="Errors">Outcomes that say that the validator failed: none of these metrics can.</param>
sealed record Pairs(long Spans, long Open, long Missing, long Doubled, long Uncounted, long Errors)
{
    const string OpenWork =
        "SELECT (SELECT count(*) FROM fan_out) + (SELECT count(*) FROM span WHERE id > (SELECT span_id FROM fan_out_cursor)) + (SELECT "
            + "count(*) FROM job)";

    /// <summary>Waits until the server has nothing left to do; what is still open afterwards is stuck.</summary>
    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> SettleAsync(string database, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        using var file = new DatabaseFile(database);
        while (file.Number(OpenWork) > 0
            && Stopwatch.GetElapsedTime(start) < Eventually.Limit)
            await Task.Delay(25, ct);
        return Stopwatch.GetElapsedTime(start);
    }

    public static Pairs Of(string database)
    {
        using var file = new DatabaseFile(database);
        const string each =
            """
            SELECT count(verdict.span_id) AS outcomes
            FROM span
            CROSS JOIN metric
            LEFT JOIN verdict ON verdict.project_id = span.project_id AND verdict.span_id = span.id
                AND verdict.metric_version_id = metric.current_version_id
            WHERE metric.state = 'active'
            GROUP BY span.id, metric.id
            """;
        return new(
            file.Number("SELECT count(*) FROM span"),
            file.Number(OpenWork),
            file.Number($"SELECT count(*) FROM ({each}) AS pair WHERE outcomes = 0"),
            file.Number($"SELECT count(*) FROM ({each}) AS pair WHERE outcomes > 1"),
            file.Number(
                """
                SELECT count(*)
                FROM (
                    SELECT * FROM (SELECT * FROM metric_cell EXCEPT SELECT * FROM metric_cell_recomputed) AS extra
                    UNION ALL
                    SELECT * FROM (SELECT * FROM metric_cell_recomputed EXCEPT SELECT * FROM metric_cell) AS lacking
                ) AS different
                """),
            file.Number("SELECT count(*) FROM verdict WHERE outcome = 'error'"));
    }
}
