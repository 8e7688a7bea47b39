using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Traces;

internal sealed class SpanTextStore(Database database) : ISpanTextStore
{
    public async Task AddAsync(ProjectId project, IReadOnlyList<SpanText> texts, DateTimeOffset at, CancellationToken ct)
    {
        if (texts.Count == 0)
            return;
        await database.WriteAsync(
            Urgency.Interactive,
            session => session.ExecuteGivenAsync(
                """
                INSERT INTO span_text (
                    project_id, trace_id, span_id, place, at, ordinal, messages, text, is_user, received_at, digest)
                SELECT project, trace, span, place, said, ordinal, messages, text, person, received, digest
                FROM @given
                WHERE 1 = 1
                ON CONFLICT (project_id, trace_id, span_id, digest) DO NOTHING
                """,
                ct,
                new("project", texts.Select(_ => project.Value).ToArray()),
                new("trace", texts.Select(text => text.Key.Trace).ToArray()),
                new("span", texts.Select(text => text.Key.Span).ToArray()),
                new("place", texts.Select(text => Wire.Name(text.Place)).ToArray()),
                new("said", texts.Select(text => Timestamps.Micros(text.At)).ToArray()),
                new("ordinal", texts.Select(text => (long)text.Ordinal).ToArray()),
                new("messages", texts.Select(text => text.Messages).ToArray()),
                new("text", texts.Select(text => text.Text).ToArray()),
                new("person", texts.Select(text => text.IsUser ? 1L : 0L).ToArray()),
                new("received", texts.Select(_ => Timestamps.Micros(at)).ToArray()),
                new("digest", Digests(texts))),
            ct).ConfigureAwait(false);
        // In a transaction after the texts': whoever paired a span before they were there is seen here, whoever pairs it later
        // sees them. In one transaction each could miss the other.
        var keys = texts.Select(text => text.Key).Distinct().ToArray();
        await database.WriteAsync(
            Urgency.Interactive,
            session => session.ExecuteGivenAsync(
                $"""
                INSERT INTO fan_out ({(database.Kind == DatabaseKind.Postgres ? "project_id, span_ids" : "span_id")})
                SELECT {(database.Kind == DatabaseKind.Postgres ? "span.project_id, ARRAY[span.id]" : "span.id")}
                FROM @given
                JOIN span ON span.project_id = given.project AND span.trace_id = given.trace AND span.span_id = given.span
                WHERE EXISTS (
                    SELECT 1 FROM span_text
                    WHERE span_text.project_id = given.project AND span_text.trace_id = given.trace
                        AND span_text.span_id = given.span AND span_text.joined = 0)
                ON CONFLICT DO NOTHING
                """,
                ct,
                new("project", keys.Select(_ => project.Value).ToArray()),
                new("trace", keys.Select(key => key.Trace).ToArray()),
                new("span", keys.Select(key => key.Span).ToArray())),
            ct).ConfigureAwait(false);
    }

    public Task<int> ForgetAsync(DateTimeOffset before, CancellationToken ct) => database.WriteAsync(
        Urgency.Background,
        session => session.ExecuteAsync(
            "DELETE FROM span_text WHERE id IN (SELECT id FROM span_text WHERE received_at < @before ORDER BY received_at LIMIT 1000)",
            ct, ("before", before)),
        ct);

    /// <summary>Adds waiting texts to those of the spans that have some.</summary>
    /// <returns>
    /// The new revisions of the spans that were paired before: their new text is validated again, and what still waited for the old
    /// one is gone.
    /// </returns>
    internal static async Task<IReadOnlyDictionary<SpanId, int>> JoinAsync(
        Session session, IReadOnlyList<PendingSpan> spans, CancellationToken ct)
    {
        var revised = new Dictionary<SpanId, int>();
        if (spans.Count == 0
            || await session.NumberAsync("SELECT id FROM span_text WHERE joined = 0 LIMIT 1", ct).ConfigureAwait(false) is null)
            return revised;
        var waiting = new HashSet<(long, string, string)>(await session.QueryGivenAsync(
            """
            SELECT DISTINCT span_text.project_id, span_text.trace_id, span_text.span_id
            FROM @given
            JOIN span_text ON span_text.project_id = given.project AND span_text.trace_id = given.trace
                AND span_text.span_id = given.span AND span_text.joined = 0
            """,
            row => (row.GetInt64(0), row.GetString(1), row.GetString(2)), ct,
            new("project", spans.Select(span => span.Project.Value).ToArray()),
            new("trace", spans.Select(span => span.Key.Trace).ToArray()),
            new("span", spans.Select(span => span.Key.Span).ToArray())).ConfigureAwait(false));
        foreach (var pending in spans.Where(span => waiting.Remove((span.Project.Value, span.Key.Trace, span.Key.Span))))
        {
            var key = new (string, object?)[]
            {
                ("project", pending.Project.Value), ("trace", pending.Key.Trace), ("span", pending.Key.Span),
            };
            // Marked first: a text that comes meanwhile stays unmarked, and brings the span here once more.
            var texts = await session.QueryAsync(
                """
                UPDATE span_text
                SET joined = 1
                WHERE project_id = @project AND trace_id = @trace AND span_id = @span
                RETURNING trace_id, span_id, place, at, ordinal, messages, text, is_user
                """,
                Read, ct, key).ConfigureAwait(false);
            var stored = await session.FirstAsync(
                $"SELECT {SpanRow.Columns} FROM span WHERE project_id = @project AND trace_id = @trace AND span_id = @span",
                SpanRow.Read, ct, key).ConfigureAwait(false);
            if (stored is null || texts.Count == 0)
                continue;
            var (input, output, attributes) = LateText.Complete(stored.Content, texts);
            if ((input, output, attributes) == (stored.Content.Input, stored.Content.Output, stored.Content.Attributes))
                continue;
            await session.ExecuteAsync(
                """
                UPDATE span
                SET input = @input, output = @output, attributes = @attributes
                WHERE project_id = @project AND id = @id
                """,
                ct, ("input", input), ("output", output), ("attributes", attributes), ("project", pending.Project.Value),
                ("id", pending.Id.Value))
                .ConfigureAwait(false);
            var revision = await session.NumberAsync(
                """
                UPDATE span
                SET revision = revision + 1
                WHERE project_id = @project AND id = @id AND (
                    EXISTS (SELECT 1 FROM job WHERE job.project_id = @project AND job.span_id = @id)
                    OR EXISTS (SELECT 1 FROM verdict WHERE verdict.project_id = @project AND verdict.span_id = @id))
                RETURNING revision
                """,
                ct, ("project", pending.Project.Value), ("id", pending.Id.Value)).ConfigureAwait(false);
            if (revision is null)
                continue;
            revised[pending.Id] = (int)revision.Value;
            await session.ExecuteAsync(
                "DELETE FROM job WHERE project_id = @project AND span_id = @id", ct, ("project", pending.Project.Value),
                ("id", pending.Id.Value))
                .ConfigureAwait(false);
        }
        return revised;
    }

    static SpanText Read(DbDataReader row) => new(
        new(row.GetString(0), row.GetString(1)), row.Word<TextPlace>(2), row.Moment(3), (int)row.GetInt64(4), row.GetString(5),
        row.TextOrNull(6), row.GetInt64(7) == 1);

    /// <summary>Two equal texts of one request are two; the same request again is the same two.</summary>
    static string[] Digests(IReadOnlyList<SpanText> texts)
    {
        var seen = new Dictionary<(SpanKey, TextPlace, DateTimeOffset, string), int>();
        return [.. texts.Select(text =>
        {
            var same = (text.Key, text.Place, text.At, text.Messages);
            var nth = seen[same] = seen.GetValueOrDefault(same) + 1;
            return Convert.ToHexStringLower(SHA256.HashData(
                Encoding.UTF8.GetBytes($"{Wire.Name(text.Place)}\n{Timestamps.Micros(text.At)}\n{nth}\n{text.Messages}")));
        })];
    }
}
