using System.Data.Common;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Traces;

/// <summary>A span as a row.</summary>
internal static class SpanRow
{
    public const string Columns =
        "span.id, span.project_id, span.trace_id, span.span_id, span.parent_id, span.node, span.kind, span.started_at, "
        + "span.duration_ms, span.received_at, span.session, span.end_user, span.model, span.input_tokens, span.output_tokens, "
        + "span.cost_usd, span.error, span.demonstrations, span.input, span.output, span.attributes";

    public static Span Read(DbDataReader row) => new(
        new(row.GetInt64(0)),
        new(row.GetInt64(1)),
        new()
        {
            Key = new(row.GetString(2), row.GetString(3)),
            ParentId = row.TextOrNull(4),
            Node = row.GetString(5),
            Kind = row.Word<NodeKind>(6),
            StartedAt = row.Moment(7),
            DurationMs = row.GetDouble(8),
            Session = row.TextOrNull(10),
            EndUser = row.TextOrNull(11),
            Model = row.TextOrNull(12),
            InputTokens = row.IntOrNull(13),
            OutputTokens = row.IntOrNull(14),
            CostUsd = row.DoubleOrNull(15),
            Error = row.TextOrNull(16),
            Demonstrations = row.Ids(17),
            Input = row.TextOrNull(18),
            Output = row.TextOrNull(19),
            Attributes = row.TextOrNull(20),
        },
        row.Moment(9));

    /// <summary>Whether a span that arrives is the stored one again; times count in microseconds, as they are kept.</summary>
    public static bool IsRepeat(NewSpan stored, NewSpan arriving) =>
        stored.Key == arriving.Key
        && stored.ParentId == arriving.ParentId
        && stored.Node == arriving.Node
        && stored.Kind == arriving.Kind
        && Timestamps.Micros(stored.StartedAt) == Timestamps.Micros(arriving.StartedAt)
        && stored.DurationMs.Equals(arriving.DurationMs)
        && stored.Session == arriving.Session
        && stored.EndUser == arriving.EndUser
        && stored.Model == arriving.Model
        && stored.InputTokens == arriving.InputTokens
        && stored.OutputTokens == arriving.OutputTokens
        && stored.CostUsd.Equals(arriving.CostUsd)
        && stored.Error == arriving.Error
        && stored.Input == arriving.Input
        && stored.Output == arriving.Output
        && stored.Attributes == arriving.Attributes
        && stored.Demonstrations.SequenceEqual(arriving.Demonstrations);
}
