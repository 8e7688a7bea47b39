using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Traces;
using Npgsql;
using NpgsqlTypes;

namespace Flywheel.Storage.Postgres;

/// <summary>One request's spans on their way into the database.</summary>
/// <param name="Rows">The same spans as COPY takes them.</param>
internal sealed record SpanRequest(ProjectId Project, IReadOnlyList<NewSpan> Spans, DateTimeOffset ReceivedAt, SpanCopy Rows);

/// <summary>Stores the spans of many requests with one statement, which is one transaction.</summary>
internal static class SpanBatch
{
    /// <summary>From here on COPY, which writes whole pages but costs a round trip more, is the cheaper statement.</summary>
    const int WorthCopying = 8;

    /// <summary>
    /// The database reads a message as a whole before it looks at it: one of megabytes would have left its caches by then.
    /// </summary>
    const int MessageSize = 32 * 1024;

    const string Copy = $"COPY span ({SpanCopy.Columns}) FROM STDIN (FORMAT binary)";

    const string Insert =
        $"""
        INSERT INTO span (
            {SpanCopy.Columns})
        SELECT * FROM unnest(
            @project, @trace, @span, @parent, @node, @kind, @started, @duration, @received, @session, @user, @model, @in, @out, @cost,
            @error, @demonstrations, @input, @output, @attributes, @response, @prompt, @version, @turn)
        ON CONFLICT (project_id, trace_id, span_id) DO NOTHING
        RETURNING project_id, trace_id, span_id
        """;

    /// <summary>
    /// Nearly always every span is new, and then COPY stores them; when one was sent before, the INSERT that can tell does.
    /// </summary>
    public static async Task<SpanInsertResult[][]> StoreAsync(
        NpgsqlConnection connection, IReadOnlyList<SpanRequest> requests, CancellationToken ct)
    {
        if (requests.Sum(request => request.Spans.Count) >= WorthCopying)
            try
            {
                await CopyAsync(connection, requests, ct).ConfigureAwait(false);
                return [.. requests.Select(request => new SpanInsertResult[request.Spans.Count])];
            }
            catch (PostgresException repeated) when (repeated.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                // COPY stores all or nothing: nothing is there yet.
            }
        return await InsertAsync(connection, requests, ct).ConfigureAwait(false);
    }

    static async Task CopyAsync(NpgsqlConnection connection, IReadOnlyList<SpanRequest> requests, CancellationToken ct)
    {
        var copy = await connection.BeginRawBinaryCopyAsync(Copy, ct).ConfigureAwait(false);
        // Disposing ends the COPY, which commits it, or throws what the database has against it.
        await using (copy.ConfigureAwait(false))
            try
            {
                await copy.WriteAsync(SpanCopy.Head, ct).ConfigureAwait(false);
                foreach (var request in requests)
                    for (var rest = request.Rows.Bytes; rest.Length > 0; rest = rest[Math.Min(MessageSize, rest.Length)..])
                        await copy.WriteAsync(rest[..Math.Min(MessageSize, rest.Length)], ct).ConfigureAwait(false);
                await copy.WriteAsync(SpanCopy.Tail, ct).ConfigureAwait(false);
            }
            catch
            {
                // Else what was sent until now would be stored.
                await copy.CancelAsync().ConfigureAwait(false);
                throw;
            }
    }

    static async Task<SpanInsertResult[][]> InsertAsync(
        NpgsqlConnection connection, IReadOnlyList<SpanRequest> requests, CancellationToken ct)
    {
        var rows = requests.SelectMany(request => request.Spans.Select(span => (request.Project, Span: span, request.ReceivedAt)))
            .ToArray();
        var added = new HashSet<(long, SpanKey)>(rows.Length);
        var command = new NpgsqlCommand(Insert, connection);
        await using (command.ConfigureAwait(false))
        {
            Bind(command.Parameters, rows);
            var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                while (await reader.ReadAsync(ct).ConfigureAwait(false))
                    added.Add((reader.GetInt64(0), new(reader.GetString(1), reader.GetString(2))));
        }

        var fates = requests.Select(request => new SpanInsertResult[request.Spans.Count]).ToArray();
        var refused = new List<(int Request, int Span)>();
        for (var r = 0; r < requests.Count; r++)
            for (var i = 0; i < fates[r].Length; i++)
                // Of several rows with one key in a statement the first one is stored.
                if (!added.Remove((requests[r].Project.Value, requests[r].Spans[i].Key)))
                    refused.Add((r, i));
        if (refused.Count == 0)
            return fates;

        var stored = (await new PostgresSession(connection).QueryGivenAsync(
            $"""
            SELECT {SpanRow.Columns}
            FROM @given
            JOIN span ON span.project_id = given.project AND span.trace_id = given.trace AND span.span_id = given.id
            """,
            SpanRow.Read, ct,
            new("project", refused.Select(at => requests[at.Request].Project.Value).ToArray()),
            new("trace", refused.Select(at => requests[at.Request].Spans[at.Span].Key.Trace).ToArray()),
            new("id", refused.Select(at => requests[at.Request].Spans[at.Span].Key.Span).ToArray())).ConfigureAwait(false))
            .DistinctBy(span => span.Id).ToDictionary(span => (span.Project, span.Content.Key));
        foreach (var (r, i) in refused)
            // Deleted between the two statements: it was there when it was refused.
            fates[r][i] = !stored.TryGetValue((requests[r].Project, requests[r].Spans[i].Key), out var there)
                || SpanRow.IsRepeat(there.Content, requests[r].Spans[i]) ? SpanInsertResult.Repeated : SpanInsertResult.Conflicting;
        return fates;
    }

    static void Bind(NpgsqlParameterCollection to, (ProjectId Project, NewSpan Span, DateTimeOffset ReceivedAt)[] rows)
    {
        var marks = rows.Select(row => SpanMarks.Of(row.Span.Attributes)).ToArray();
        Values("response", NpgsqlDbType.Text, [.. marks.Select(mark => mark.ResponseId)]);
        Values("prompt", NpgsqlDbType.Text, [.. marks.Select(mark => mark.Prompt)]);
        Values("version", NpgsqlDbType.Integer, [.. marks.Select(mark => mark.PromptVersion)]);
        Values("turn", NpgsqlDbType.Integer, [.. marks.Select(mark => mark.Turn)]);
        Add("project", NpgsqlDbType.Bigint, row => row.Project.Value);
        Add("trace", NpgsqlDbType.Text, row => row.Span.Key.Trace);
        Add("span", NpgsqlDbType.Text, row => row.Span.Key.Span);
        Add("parent", NpgsqlDbType.Text, row => row.Span.ParentId);
        Add("node", NpgsqlDbType.Text, row => row.Span.Node);
        Add("kind", NpgsqlDbType.Text, row => Wire.Name(row.Span.Kind));
        Add("started", NpgsqlDbType.Bigint, row => Timestamps.Micros(row.Span.StartedAt));
        Add("duration", NpgsqlDbType.Double, row => row.Span.DurationMs);
        Add("received", NpgsqlDbType.Bigint, row => Timestamps.Micros(row.ReceivedAt));
        Add("session", NpgsqlDbType.Text, row => row.Span.Session);
        Add("user", NpgsqlDbType.Text, row => row.Span.EndUser);
        Add("model", NpgsqlDbType.Text, row => row.Span.Model);
        Add("in", NpgsqlDbType.Integer, row => row.Span.InputTokens);
        Add("out", NpgsqlDbType.Integer, row => row.Span.OutputTokens);
        Add("cost", NpgsqlDbType.Double, row => row.Span.CostUsd);
        Add("error", NpgsqlDbType.Text, row => row.Span.Error);
        Add("demonstrations", NpgsqlDbType.Text, row => Rows.Json(row.Span.Demonstrations));
        Add("input", NpgsqlDbType.Text, row => row.Span.Input);
        Add("output", NpgsqlDbType.Text, row => row.Span.Output);
        Add("attributes", NpgsqlDbType.Text, row => row.Span.Attributes);

        void Add<T>(string name, NpgsqlDbType type, Func<(ProjectId Project, NewSpan Span, DateTimeOffset ReceivedAt), T> value)
        {
            var values = new T[rows.Length];
            for (var i = 0; i < rows.Length; i++)
                values[i] = value(rows[i]);
            Values(name, type, values);
        }

        void Values<T>(string name, NpgsqlDbType type, T[] values) =>
            to.Add(new NpgsqlParameter<T[]>(name, NpgsqlDbType.Array | type) { TypedValue = values });
    }
}
