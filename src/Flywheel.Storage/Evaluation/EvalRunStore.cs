using System.Data.Common;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;

namespace Flywheel.Storage.Evaluation;

internal sealed class EvalRunStore(Database database) : IEvalRunStore
{
    /// <summary>Rows of one page of what is read as a stream.</summary>
    const int PageRows = 1_000;

    const string Columns =
        """
        id, data, data_hash, set_hash, metrics, names, about, started_at, finished_at,
            (SELECT count(*) FROM eval_case WHERE eval_case.project_id = eval_run.project_id AND eval_case.run_id = eval_run.id)
        """;

    static readonly string[] Words = [.. Enum.GetValues<Outcome>().Select(Wire.Name)];

    public Task<EvalRun> BeginAsync(ProjectId project, NewEvalRun run, bool afresh, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var old = afresh ? [] : await session.QueryAsync(
                    """
                    SELECT id, started_at, (
                        SELECT count(*) FROM eval_case WHERE eval_case.project_id = @project AND eval_case.run_id = eval_run.id)
                    FROM eval_run
                    WHERE project_id = @project AND data_hash = @data AND set_hash = @set AND finished_at IS NULL
                    ORDER BY id DESC
                    LIMIT 1
                    """,
                    row => new EvalRun(project, row.GetInt64(0), run, row.Moment(1), row.GetInt32(2)), ct,
                    ("project", project.Value), ("data", run.DataHash), ("set", run.SetHash)).ConfigureAwait(false);
                if (old is [var found])
                    return found;
                var id = await session.NumberAsync(
                    """
                    INSERT INTO eval_run (project_id, data, data_hash, set_hash, metrics, names, about, started_at)
                    VALUES (@project, @data, @hash, @set, @metrics, @names, @about, @at)
                    RETURNING id
                    """,
                    ct, ("project", project.Value), ("data", run.Data), ("hash", run.DataHash), ("set", run.SetHash),
                    ("metrics", run.MetricsJson),
                    ("names", JsonSerializer.Serialize(run.Metrics)), ("about", run.About), ("at", at)).ConfigureAwait(false);
                return new EvalRun(project, id!.Value, run, at, 0);
            },
            ct);

    public async Task<IReadOnlySet<int>> DoneAsync(EvalRun run, CancellationToken ct) =>
        (await database.QueryAsync(
            "SELECT row FROM eval_case WHERE project_id = @project AND run_id = @run", row => row.GetInt32(0), ct, Key(run))
                .ConfigureAwait(false))
        .ToHashSet();

    public Task AddAsync(EvalRun run, IReadOnlyList<EvaluatedCase> cases, CancellationToken ct) =>
        cases.Count == 0 ? Task.CompletedTask : database.WriteAsync(
        Urgency.Interactive,
        async session =>
        {
            await session.ExecuteGivenAsync(
                """
                INSERT INTO eval_case (project_id, run_id, row, id, excerpt, expected, predicted)
                SELECT project, run, line, name, excerpt, expected, predicted
                FROM @given
                WHERE 1 = 1
                ON CONFLICT (project_id, run_id, row)
                    DO UPDATE SET id = excluded.id, excerpt = excluded.excerpt, expected = excluded.expected, predicted = excluded.predicted
                """,
                ct,
                new("project", cases.Select(_ => run.Project.Value).ToArray()),
                new("run", cases.Select(_ => run.Id).ToArray()),
                new("line", cases.Select(one => (long)one.Row).ToArray()),
                new("name", cases.Select(one => one.Id).ToArray()),
                new("excerpt", cases.Select(one => one.Excerpt).ToArray()),
                new("expected", cases.Select(one => one.Expected).ToArray()),
                new("predicted", cases.Select(one => one.Predicted).ToArray())).ConfigureAwait(false);
            var found = cases.SelectMany(one => one.Findings.Select((finding, metric) => (one.Row, Metric: metric, Finding: finding)))
                .ToArray();
            return found.Length == 0 ? 0 : await session.ExecuteGivenAsync(
                """
                INSERT INTO eval_result (project_id, run_id, row, metric, outcome, score, confidence, reason, cost_usd, model)
                SELECT project, run, line, metric, outcome, score, confidence, reason, cost, model
                FROM @given
                WHERE 1 = 1
                ON CONFLICT (project_id, run_id, row, metric)
                    DO UPDATE SET outcome = excluded.outcome, score = excluded.score, confidence = excluded.confidence, reason = excluded.reason,
                        cost_usd = excluded.cost_usd, model = excluded.model
                """,
                ct,
                new("project", found.Select(_ => run.Project.Value).ToArray()),
                new("run", found.Select(_ => run.Id).ToArray()),
                new("line", found.Select(each => (long)each.Row).ToArray()),
                new("metric", found.Select(each => (long)each.Metric).ToArray()),
                new("outcome", found.Select(each => Words[(int)each.Finding.Outcome]).ToArray()),
                new("score", found.Select(each => each.Finding.Score).ToArray()),
                new("confidence", found.Select(each => each.Finding.Confidence ?? each.Finding.RawConfidence).ToArray()),
                new("reason", found.Select(each => each.Finding.Reason).ToArray()),
                new("cost", found.Select(each => each.Finding.CostUsd).ToArray()),
                new("model", found.Select(each => each.Finding.Model).ToArray())).ConfigureAwait(false);
        },
        ct);

    public Task AddAsync(EvalRun run, GeneratedOutput output, CancellationToken ct) => database.WriteAsync(
        Urgency.Interactive,
        session => session.ExecuteAsync(
            """
            INSERT INTO eval_output (
                project_id, run_id, row, output, error, input_tokens, output_tokens, cost_usd, latency_ms, model, demonstrations)
            VALUES (@project, @run, @row, @output, @error, @in, @out, @cost, @latency, @model, @demonstrations)
            ON CONFLICT (project_id, run_id, row)
                DO UPDATE SET output = excluded.output, error = excluded.error, input_tokens = excluded.input_tokens,
                    output_tokens = excluded.output_tokens, cost_usd = excluded.cost_usd, latency_ms = excluded.latency_ms,
                    model = excluded.model, demonstrations = excluded.demonstrations
            """,
            ct,
            [
                .. Key(run), ("row", output.Row), ("output", output.Output), ("error", output.Error), ("in", output.InputTokens),
                ("out", output.OutputTokens), ("cost", output.CostUsd), ("latency", output.LatencyMs), ("model", output.Model),
                ("demonstrations", Rows.Json(output.Demonstrations)),
            ]),
        ct);

    public async Task<IReadOnlyDictionary<int, GeneratedOutput>> UncheckedAsync(EvalRun run, CancellationToken ct) =>
        (await database.QueryAsync(
            """
            SELECT row, output, error, input_tokens, output_tokens, cost_usd, latency_ms, model, demonstrations
            FROM eval_output
            WHERE project_id = @project AND run_id = @run AND NOT EXISTS (
                SELECT 1 FROM eval_case
                WHERE eval_case.project_id = @project AND eval_case.run_id = @run AND eval_case.row = eval_output.row)
            """,
            row => new GeneratedOutput(
                row.GetInt32(0), row.TextOrNull(1), row.TextOrNull(2), row.IntOrNull(3), row.IntOrNull(4), row.GetDouble(5),
                row.GetDouble(6),
                row.TextOrNull(7), row.Ids(8)),
            ct, Key(run)).ConfigureAwait(false)).ToDictionary(each => each.Row);

    public Task<GenerationTotals?> GenerationAsync(EvalRun run, CancellationToken ct) => database.ReadAsync<GenerationTotals?>(
        async session =>
        {
            var sums = (await session.QueryAsync(
                """
                SELECT count(*), count(error), CAST(coalesce(sum(input_tokens), 0) AS BIGINT), CAST(coalesce(sum(output_tokens), 0) AS BIGINT),
                    coalesce(sum(cost_usd), 0)
                FROM eval_output
                WHERE project_id = @project AND run_id = @run
                """,
                row => new GenerationTotals(
                    row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetDouble(4), null, null), ct,
                Key(run)).ConfigureAwait(false))[0];
            return sums.Rows == 0 ? null : sums with
            {
                MedianMs = await LatencyAsync(session, run, sums.Rows, 0.5, ct).ConfigureAwait(false),
                SlowMs = await LatencyAsync(session, run, sums.Rows, 0.95, ct).ConfigureAwait(false),
            };
        },
        ct);

    public async Task<double> SpentAsync(EvalRun run, CancellationToken ct) => (await database.QueryAsync(
        """
        SELECT (SELECT coalesce(sum(cost_usd), 0) FROM eval_output WHERE project_id = @project AND run_id = @run)
            + (SELECT coalesce(sum(cost_usd), 0) FROM eval_result WHERE project_id = @project AND run_id = @run)
        """,
        row => row.GetDouble(0), ct, Key(run)).ConfigureAwait(false))[0];

    public Task FinishAsync(EvalRun run, DateTimeOffset at, CancellationToken ct) => database.WriteAsync(
        Urgency.Interactive,
        session => session.ExecuteAsync(
            "UPDATE eval_run SET finished_at = @at WHERE project_id = @project AND id = @run", ct, [.. Key(run), ("at", at)]),
        ct);

    public async Task<IReadOnlyList<EvalRunSummary>> ListAsync(ProjectId project, int limit, CancellationToken ct) =>
        await database.QueryAsync(
        $"SELECT {Columns} FROM eval_run WHERE project_id = @project ORDER BY id DESC LIMIT @limit",
        row => Read(project, row), ct, ("project", project.Value), ("limit", limit)).ConfigureAwait(false);

    public Task<EvalRunSummary?> FindAsync(ProjectId project, long run, CancellationToken ct) => database.FirstAsync(
        $"SELECT {Columns} FROM eval_run WHERE project_id = @project AND id = @run",
        row => Read(project, row), ct, ("project", project.Value), ("run", run));

    public async IAsyncEnumerable<EvalOutcomes> OutcomesAsync(EvalRun run, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var after = 0; ;)
        {
            var page = new List<EvalOutcomes>(PageRows);
            foreach (var (found, metric, outcome) in await database.QueryAsync(
                """
                SELECT page.row, page.id, page.excerpt, page.expected, page.predicted, result.metric, result.outcome
                FROM (
                    SELECT row, id, excerpt, expected, predicted
                    FROM eval_case
                    WHERE project_id = @project AND run_id = @run AND row > @after
                    ORDER BY row
                    LIMIT @limit) AS page
                LEFT JOIN eval_result AS result ON result.project_id = @project AND result.run_id = @run AND result.row = page.row
                ORDER BY page.row, result.metric
                """,
                row => (
                    new EvalOutcomes(row.GetInt32(0), row.GetString(1), row.TextOrNull(2), row.TextOrNull(3), row.TextOrNull(4), []),
                    row.IntOrNull(5), row.IsDBNull(5) ? Outcome.Error : row.Word<Outcome>(6)),
                ct, [.. Key(run), ("after", after), ("limit", PageRows)]).ConfigureAwait(false))
            {
                if (page.Count == 0 || page[^1].Row != found.Row)
                    page.Add(found with { Outcomes = new Outcome?[run.About.Metrics.Count] });
                if (metric is { } place)
                    page[^1].Outcomes[place] = outcome;
            }
            foreach (var row in page)
                yield return row;
            if (page.Count < PageRows)
                yield break;
            after = page[^1].Row;
        }
    }

    public async IAsyncEnumerable<EvalFault> FindingsAsync(EvalRun run, int metric, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var after = 0; ;)
        {
            var page = await database.QueryAsync(
                """
                SELECT result.row, eval_case.id, NULL, result.metric, result.outcome, result.score, result.reason
                FROM eval_result AS result
                JOIN eval_case ON eval_case.project_id = @project AND eval_case.run_id = @run AND eval_case.row = result.row
                WHERE result.project_id = @project AND result.run_id = @run AND result.metric = @metric AND result.row > @after
                ORDER BY result.row
                LIMIT @limit
                """,
                ReadFault, ct, [.. Key(run), ("metric", metric), ("after", after), ("limit", PageRows)]).ConfigureAwait(false);
            foreach (var found in page)
                yield return found;
            if (page.Count < PageRows)
                yield break;
            after = page[^1].Row;
        }
    }

    public async Task<IReadOnlyList<EvalCount>> CountsAsync(EvalRun run, CancellationToken ct) => await database.QueryAsync(
        """
        SELECT metric, outcome, count(*), sum(cost_usd)
        FROM eval_result
        WHERE project_id = @project AND run_id = @run
        GROUP BY metric, outcome
        ORDER BY metric, outcome
        """,
        row => new EvalCount(row.GetInt32(0), row.Word<Outcome>(1), row.GetInt64(2), row.GetDouble(3)), ct, Key(run)).ConfigureAwait(false);

    public async Task<IReadOnlyList<EvalFault>> WorstAsync(EvalRun run, int rows, CancellationToken ct) => await database.QueryAsync(
        """
        SELECT result.row, eval_case.id, eval_case.excerpt, result.metric, result.outcome, result.score, result.reason
        FROM (
            SELECT row, count(*) AS faults
            FROM eval_result
            WHERE project_id = @project AND run_id = @run AND outcome IN ('fail', 'error')
            GROUP BY row
            ORDER BY count(*) DESC, row
            LIMIT @limit) AS worst
        JOIN eval_result AS result ON result.project_id = @project AND result.run_id = @run AND result.row = worst.row
            AND result.outcome IN ('fail', 'error')
        JOIN eval_case ON eval_case.project_id = @project AND eval_case.run_id = @run AND eval_case.row = worst.row
        ORDER BY worst.faults DESC, result.row, result.metric
        """,
        ReadFault, ct, [.. Key(run), ("limit", rows)]).ConfigureAwait(false);

    public async Task<IReadOnlyList<ConfusionCell>> ConfusionAsync(EvalRun run, CancellationToken ct) => await database.QueryAsync(
        """
        SELECT expected, predicted, count(*)
        FROM eval_case
        WHERE project_id = @project AND run_id = @run AND expected IS NOT NULL AND predicted IS NOT NULL
        GROUP BY expected, predicted
        ORDER BY expected, predicted
        """,
        row => new ConfusionCell(row.GetString(0), row.GetString(1), row.GetInt64(2)), ct, Key(run)).ConfigureAwait(false);

    public async Task<long> IncomparableAsync(EvalRun run, CancellationToken ct) => await database.NumberAsync(
        "SELECT count(*) FROM eval_case WHERE project_id = @project AND run_id = @run AND (expected IS NULL OR predicted IS NULL)", ct,
        Key(run)).ConfigureAwait(false) ?? 0;

    static async Task<double> LatencyAsync(Session session, EvalRun run, long rows, double share, CancellationToken ct) =>
        (await session.QueryAsync(
        "SELECT latency_ms FROM eval_output WHERE project_id = @project AND run_id = @run ORDER BY latency_ms LIMIT 1 OFFSET @offset",
        row => row.GetDouble(0), ct, [.. Key(run), ("offset", Math.Min(rows - 1, (long)(share * rows)))]).ConfigureAwait(false))[0];

    static (string Name, object? Value)[] Key(EvalRun run) => [("project", run.Project.Value), ("run", run.Id)];

    static EvalRunSummary Read(ProjectId project, DbDataReader row) => new(
        new(
            project, row.GetInt64(0),
            new(row.GetString(1), row.GetString(2), row.GetString(3), JsonSerializer.Deserialize<string[]>(row.GetString(5))!,
                row.GetString(4),
                row.TextOrNull(6)),
            row.Moment(7), 0),
        row.MomentOrNull(8), row.GetInt64(9));

    static EvalFault ReadFault(DbDataReader row) => new(
        row.GetInt32(0), row.GetString(1), row.TextOrNull(2), row.GetInt32(3), row.Word<Outcome>(4), row.DoubleOrNull(5),
        row.TextOrNull(6));
}
