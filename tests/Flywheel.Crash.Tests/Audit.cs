using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Flywheel.Crash.Tests;

/// <summary>What a database file lacks of what was promised; read from the file, not from the server.</summary>
/// <param name="Damage">What <c>PRAGMA integrity_check</c> or the reading itself complains of; null when the file is sound.</param>
/// <param name="Verdicts">Verdicts that had been shown and are gone or different.</param>
/// <param name="Consequences">Labels and corrections without the gold or the one demonstration that their transaction causes.</param>
sealed record Audit(int Spans, int Labels, int Corrections, int Verdicts, int Consequences, string? Damage)
{
    public int Lost => Spans + Labels + Corrections + Verdicts + Consequences;

    public bool IsClean => Lost == 0 && Damage is null;

    /// <summary>Opens the file as it lies there, which replays its log, and compares it with the ledger.</summary>
    public static Audit Of(string database, Ledger ledger)
    {
        try
        {
            using var file = new DatabaseFile(database);
            var integrity = file.Texts("PRAGMA integrity_check").ToArray();
            var spans = file.Rows("SELECT span_id, trace_id, input, output FROM span").ToDictionary(row => (string)row[0]);
            var labels = file.Rows(
                """
                SELECT label.id, span.span_id, label.passed,
                    EXISTS (SELECT 1 FROM gold WHERE gold.label_id = label.id),
                    (SELECT count(*) FROM demonstration WHERE source_label = label.id AND project_id = label.project_id)
                FROM label
                JOIN span ON span.id = label.span_id
                """).ToDictionary(row => (string)row[0]);
            var corrections = file.Rows(
                """
                SELECT correction.id, span.span_id, corrected_output,
                    (SELECT count(*) FROM demonstration WHERE source_correction = correction.id AND project_id = correction.project_id)
                FROM correction
                JOIN span ON span.id = correction.span_id
                """).ToDictionary(row => (string)row[0]);
            var verdicts = file.Rows(
                """
                SELECT span.span_id || metric.name, outcome, verdict.created_at
                FROM verdict
                JOIN span ON span.id = verdict.span_id
                JOIN metric ON metric.id = verdict.metric_id
                """).ToDictionary(row => (string)row[0]);
            return new(
                ledger.Spans.Count(n => !(spans.GetValueOrDefault(SpanItem.Id(n)) is { } row
                    && SpanItem.Trace(n).Equals(row[1]) && SpanItem.Input(n).Equals(row[2]) && SpanItem.Output(n).Equals(row[3]))),
                ledger.Labels.Count(label => !(labels.GetValueOrDefault(label.Id.ToString()) is { } row
                    && SpanItem.Id(label.Span).Equals(row[1]) && (label.Passed ? 1L : 0L).Equals(row[2]))),
                ledger.Corrections.Count(correction => !(corrections.GetValueOrDefault(correction.Id.ToString()) is { } row
                    && SpanItem.Id(correction.Span).Equals(row[1]) && correction.Output.Equals(row[2]))),
                ledger.Verdicts.Count(seen => !(verdicts.GetValueOrDefault(SpanItem.Id(seen.Span) + seen.Metric) is { } row
                    && seen.Outcome.Equals(row[1]) && ((seen.At - DateTimeOffset.UnixEpoch).Ticks / 10).Equals(row[2]))),
                labels.Values.Count(row => !(1L.Equals(row[3]) && 1L.Equals(row[4]))) + corrections.Values.Count(row => !1L.Equals(row[3])),
                integrity is ["ok"] ? null : string.Join("; ", integrity.Take(3)));
        }
        catch (SqliteException unreadable)
        {
            return new(ledger.Spans.Count, ledger.Labels.Count, ledger.Corrections.Count, ledger.Verdicts.Count, 0, unreadable.Message);
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"lost: {Spans} spans, {Labels} labels, {Corrections} corrections, {Verdicts} verdicts, {Consequences} consequences; file "
            + $"{Damage ?? "ok"}");
}
