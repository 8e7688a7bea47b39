using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core.Datasets;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Datasets;

/// <summary>Chooses spans that become items: the newest that match, or an even sample of all that do.</summary>
internal static class SpanChoice
{
    const int KeysAtOnce = 10_000, ContentsAtOnce = 500;

    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Keys of matching spans, newest first, below a row number. Narrow: a sample is drawn from all of them.</summary>
    const string Keys =
        """
        SELECT span.id, span.trace_id, span.span_id
        FROM span
        WHERE span.project_id = @project AND span.id < @before
            AND (CAST(@node AS TEXT) IS NULL OR span.node = @node)
            AND (CAST(@kind AS TEXT) IS NULL OR span.kind = @kind)
            AND (CAST(@since AS BIGINT) IS NULL OR span.started_at >= @since)
            AND (CAST(@until AS BIGINT) IS NULL OR span.started_at < @until)
            AND (CAST(@session AS TEXT) IS NULL OR span.session = @session)
            AND (CAST(@user AS TEXT) IS NULL OR span.end_user = @user)
            AND (CAST(@prompt AS TEXT) IS NULL OR span.prompt = @prompt)
            AND (CAST(@version AS BIGINT) IS NULL OR span.prompt_version = @version)
            AND (CAST(@corrected AS BIGINT) IS NULL OR @corrected = CASE WHEN EXISTS (
                SELECT 1 FROM correction WHERE correction.project_id = span.project_id AND correction.span_id = span.id) THEN 1 ELSE 0 END)
            AND (CAST(@outcome AS TEXT) IS NULL OR EXISTS (
                SELECT 1 FROM current_verdict JOIN metric ON metric.id = current_verdict.metric_id
                WHERE current_verdict.project_id = span.project_id AND current_verdict.span_id = span.id AND metric.name = @metric
                    AND current_verdict.outcome = @outcome))
            AND (CAST(@label AS BIGINT) IS NULL OR EXISTS (
                SELECT 1 FROM label JOIN metric ON metric.id = label.metric_id
                WHERE label.project_id = span.project_id AND label.span_id = span.id AND metric.name = @metric AND label.passed = @label
                    AND NOT EXISTS (
                        SELECT 1 FROM label AS newer
                        WHERE newer.project_id = label.project_id AND newer.span_id = label.span_id AND newer.metric_id = label.metric_id
                            AND (newer.created_at, newer.id) > (label.created_at, label.id))))
            AND (CAST(@feedback AS TEXT) IS NULL OR EXISTS (
                SELECT 1 FROM feedback
                WHERE feedback.project_id = span.project_id AND feedback.trace_id = span.trace_id AND feedback.name = @feedback
                    AND (feedback.span_id IS NULL OR feedback.span_id = span.span_id)
                    AND (CAST(@value AS TEXT) IS NULL OR feedback.value = @value)))
        ORDER BY span.id DESC
        LIMIT @limit
        """;

    public static async Task<SpanSelection> SelectAsync(Database database, ProjectId project, SpanQuery query, CancellationToken ct)
    {
        // The largest rank is on top, so that the sample keeps the smallest ones.
        var drawn = new PriorityQueue<long, ulong>(Comparer<ulong>.Create((a, b) => b.CompareTo(a)));
        var newest = new List<long>();
        var (matched, before) = (0L, long.MaxValue);
        while (query.Sample || newest.Count < query.Limit)
        {
            var asked = query.Sample ? KeysAtOnce : Math.Min(KeysAtOnce, query.Limit - newest.Count);
            var page = await database.QueryAsync(
                Keys, row => (Id: row.GetInt64(0), Trace: row.GetString(1), Span: row.GetString(2)), ct,
                ("project", project.Value), ("before", before), ("node", query.Node),
                ("kind", query.Kind is { } kind ? Wire.Name(kind) : null),
                ("since", query.Since), ("until", query.Until), ("session", query.Session), ("user", query.EndUser),
                ("prompt", query.Prompt),
                ("version", (long?)query.PromptVersion), ("corrected", YesNo(query.Corrected)),
                ("outcome", query.Outcome is { } outcome ? Wire.Name(outcome) : null),
                ("metric", query.Metric), ("label", YesNo(query.Label)), ("feedback", query.Feedback), ("value", query.FeedbackValue),
                ("limit", asked))
                .ConfigureAwait(false);
            foreach (var (id, trace, span) in page)
                if (!query.Sample)
                    newest.Add(id);
                else if (drawn.Count < query.Limit)
                    drawn.Enqueue(id, Rank(query.Seed, trace, span));
                else
                    drawn.EnqueueDequeue(id, Rank(query.Seed, trace, span));
            matched += page.Count;
            if (page.Count < asked)
                return await ReadAsync(database, project, query, newest, drawn, matched, ct).ConfigureAwait(false);
            before = page[^1].Id;
        }
        return await ReadAsync(database, project, query, newest, drawn, null, ct).ConfigureAwait(false);
    }

    static async Task<SpanSelection> ReadAsync(
        Database database, ProjectId project, SpanQuery query, List<long> newest, PriorityQueue<long, ulong> drawn, long? matched,
        CancellationToken ct)
    {
        var chosen = newest.Concat(drawn.UnorderedItems.Select(each => each.Element)).Order().ToArray();
        var items = new List<NewDatasetItem>(chosen.Length);
        var without = 0;
        foreach (var ids in chosen.Chunk(ContentsAtOnce))
        {
            var rows = await database.QueryAsync(
                """
                SELECT trace_id, span_id, node, kind, model, end_user, input, output, (
                    SELECT corrected_output FROM correction
                    WHERE correction.project_id = span.project_id AND correction.span_id = span.id
                    ORDER BY correction.created_at DESC, correction.id DESC
                    LIMIT 1)
                FROM span
                WHERE project_id = @project AND id IN (@ids)
                ORDER BY id
                """,
                row => new
                {
                    Key = new SpanKey(row.GetString(0), row.GetString(1)), Node = row.GetString(2), Kind = row.GetString(3),
                    Model = row.TextOrNull(4),
                    EndUser = row.TextOrNull(5), Input = row.TextOrNull(6), Output = row.TextOrNull(7), Corrected = row.TextOrNull(8),
                },
                ct, ("project", project.Value), ("ids", ids)).ConfigureAwait(false);
            foreach (var row in rows)
            {
                if (row.Input is null)
                {
                    without++;
                    continue;
                }
                var attributes = new JsonObject { ["node"] = row.Node, ["kind"] = row.Kind };
                if (query.KeepOutput)
                {
                    attributes["output"] = row.Output;
                    if (row.Model is not null)
                        attributes["model"] = row.Model;
                }
                items.Add(new(
                    row.Input,
                    query.Expected switch
                    {
                        ExpectedFrom.Correction => row.Corrected,
                        ExpectedFrom.Output => row.Corrected ?? row.Output,
                        _ => null,
                    },
                    attributes.ToJsonString(Plain), query.Split, row.Key, row.EndUser));
            }
        }
        return new(items, matched, without);
    }

    /// <summary>Evenly spread, and of the span's own ids only: the same in every database.</summary>
    static ulong Rank(long seed, string trace, string span) => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed}:{trace}/{span}"))));

    static long? YesNo(bool? value) => value is { } yes ? yes ? 1 : 0 : null;
}
