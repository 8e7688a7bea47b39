using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Traces;
using Npgsql;
using NpgsqlTypes;

namespace Flywheel.Storage.Postgres;

/// <summary>One request's spans on their way into the database.</summary>
internal sealed record SpanRequest(ProjectId Project, IReadOnlyList<NewSpan> Spans, DateTimeOffset ReceivedAt);

/// <summary>Stores the spans of many requests with one statement, which is one transaction.</summary>
internal static class SpanBatch
{
    /// <summary>From here on COPY, which writes whole pages but costs a round trip more, is the cheaper statement.</summary>
    const int WorthCopying = 100;

    const string Columns =
        """
        project_id, trace_id, span_id, parent_id, node, kind, started_at, duration_ms, received_at, session, end_user, model,
            input_tokens, output_tokens, cost_usd, error, demonstrations, input, output, attributes, response_id, prompt,
            prompt_version
        """;

    const string Copy = $"COPY span ({Columns}) FROM STDIN (FORMAT binary)";

    const string Insert =
        $"""
        INSERT INTO span (
            {Columns})
        SELECT * FROM unnest(
            @project, @trace, @span, @parent, @node, @kind, @started, @duration, @received, @session, @user, @model, @in, @out, @cost,
            @error, @demonstrations, @input, @output, @attributes, @response, @prompt, @version)
        ON CONFLICT (project_id, trace_id, span_id) DO NOTHING
        RETURNING project_id, trace_id, span_id
        """;

    /// <summary>Nearly always every span is new, and then COPY stores them; when one was sent before, the INSERT that can tell does.</summary>
    public static async Task<SpanFate[][]> StoreAsync(NpgsqlConnection connection, IReadOnlyList<SpanRequest> requests, CancellationToken ct)
    {
        if (requests.Sum(request => request.Spans.Count) >= WorthCopying)
            try
            {
                await CopyAsync(connection, requests, ct).ConfigureAwait(false);
                return [.. requests.Select(request => new SpanFate[request.Spans.Count])];
            }
            catch (PostgresException repeated) when (repeated.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                // COPY stores all or nothing: nothing is there yet.
            }
        return await InsertAsync(connection, requests, ct).ConfigureAwait(false);
    }

    static async Task CopyAsync(NpgsqlConnection connection, IReadOnlyList<SpanRequest> requests, CancellationToken ct)
    {
        var copy = await connection.BeginBinaryImportAsync(Copy, ct).ConfigureAwait(false);
        await using (copy.ConfigureAwait(false))
        {
            ct.ThrowIfCancellationRequested();
            // Into the connection's buffer: awaiting each field would cost more than the rare wait for the socket.
            foreach (var request in requests)
            {
                var (project, received) = (request.Project.Value, Moments.Micros(request.ReceivedAt));
                foreach (var span in request.Spans)
                {
                    copy.StartRow();
                    copy.Write(project, NpgsqlDbType.Bigint);
                    Text(span.Key.Trace);
                    Text(span.Key.Span);
                    Text(span.ParentId);
                    Text(span.Node);
                    Text(Wire.Name(span.Kind));
                    copy.Write(Moments.Micros(span.StartedAt), NpgsqlDbType.Bigint);
                    copy.Write(span.DurationMs, NpgsqlDbType.Double);
                    copy.Write(received, NpgsqlDbType.Bigint);
                    Text(span.Session);
                    Text(span.EndUser);
                    Text(span.Model);
                    Number(span.InputTokens, NpgsqlDbType.Integer);
                    Number(span.OutputTokens, NpgsqlDbType.Integer);
                    Number(span.CostUsd, NpgsqlDbType.Double);
                    Text(span.Error);
                    Text(Rows.Json(span.Demonstrations));
                    Text(span.Input);
                    Text(span.Output);
                    Text(span.Attributes);
                    var marks = SpanMarks.Of(span.Attributes);
                    Text(marks.ResponseId);
                    Text(marks.Prompt);
                    Number(marks.PromptVersion, NpgsqlDbType.Integer);
                }
            }
            await copy.CompleteAsync(ct).ConfigureAwait(false);
        }

        void Text(string? value)
        {
            if (value is null)
                copy.WriteNull();
            else
                copy.Write(value, NpgsqlDbType.Text);
        }

        void Number<T>(T? value, NpgsqlDbType type) where T : struct
        {
            if (value is { } number)
                copy.Write(number, type);
            else
                copy.WriteNull();
        }
    }

    static async Task<SpanFate[][]> InsertAsync(NpgsqlConnection connection, IReadOnlyList<SpanRequest> requests, CancellationToken ct)
    {
        var rows = requests.SelectMany(request => request.Spans.Select(span => (request.Project, Span: span, request.ReceivedAt))).ToArray();
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

        var fates = requests.Select(request => new SpanFate[request.Spans.Count]).ToArray();
        var session = new PostgresSession(connection);
        for (var r = 0; r < requests.Count; r++)
            for (var i = 0; i < fates[r].Length; i++)
            {
                var (project, span) = (requests[r].Project, requests[r].Spans[i]);
                // Of several rows with one key in a statement the first one is stored.
                if (added.Remove((project.Value, span.Key)))
                    continue;
                var stored = await session.FirstAsync(
                    $"""
                    SELECT {SpanRow.Columns}
                    FROM span
                    WHERE project_id = @project AND trace_id = @trace AND span_id = @span
                    """,
                    SpanRow.Read, ct, ("project", project.Value), ("trace", span.Key.Trace), ("span", span.Key.Span)).ConfigureAwait(false);
                // Deleted between the two statements: it was there when it was refused.
                fates[r][i] = stored is null || SpanRow.IsRepeat(stored.Content, span) ? SpanFate.Repeated : SpanFate.Conflicting;
            }
        return fates;
    }

    static void Bind(NpgsqlParameterCollection to, (ProjectId Project, NewSpan Span, DateTimeOffset ReceivedAt)[] rows)
    {
        var marks = rows.Select(row => SpanMarks.Of(row.Span.Attributes)).ToArray();
        Values("response", NpgsqlDbType.Text, [.. marks.Select(mark => mark.ResponseId)]);
        Values("prompt", NpgsqlDbType.Text, [.. marks.Select(mark => mark.Prompt)]);
        Values("version", NpgsqlDbType.Integer, [.. marks.Select(mark => mark.PromptVersion)]);
        Add("project", NpgsqlDbType.Bigint, row => row.Project.Value);
        Add("trace", NpgsqlDbType.Text, row => row.Span.Key.Trace);
        Add("span", NpgsqlDbType.Text, row => row.Span.Key.Span);
        Add("parent", NpgsqlDbType.Text, row => row.Span.ParentId);
        Add("node", NpgsqlDbType.Text, row => row.Span.Node);
        Add("kind", NpgsqlDbType.Text, row => Wire.Name(row.Span.Kind));
        Add("started", NpgsqlDbType.Bigint, row => Moments.Micros(row.Span.StartedAt));
        Add("duration", NpgsqlDbType.Double, row => row.Span.DurationMs);
        Add("received", NpgsqlDbType.Bigint, row => Moments.Micros(row.ReceivedAt));
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
