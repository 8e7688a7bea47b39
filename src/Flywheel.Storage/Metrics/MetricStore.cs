using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Metrics;

internal sealed class MetricStore(Database database) : IMetricStore
{
    long revision;

    public long Revision => Interlocked.Read(ref revision);

    public async Task<Metric?> AddAsync(ProjectId project, NewMetric metric, bool expectNew, DateTimeOffset at, CancellationToken ct)
    {
        var added = await database.WriteAsync(
            Urgency.Interactive, session => AddAsync(session, project, metric, expectNew, at, ct), ct).ConfigureAwait(false);
        Changed();
        return added;
    }

    public Task<Metric?> FindAsync(ProjectId project, string name, CancellationToken ct) =>
        database.FirstAsync(
            $"""
            SELECT {MetricRow.Columns}
            FROM metric
            JOIN metric_version AS version ON version.id = metric.current_version_id
            WHERE metric.project_id = @project AND metric.name = @name
            """,
            MetricRow.Read, ct, ("project", project.Value), ("name", name));

    public Task<Metric?> GetVersionAsync(ProjectId project, MetricVersionId version, CancellationToken ct) =>
        database.ReadAsync(session => VersionAsync(session, project, version.Value, ct), ct);

    public async Task<IReadOnlyList<Metric>> ListAsync(ProjectId project, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {MetricRow.Columns}
            FROM metric
            JOIN metric_version AS version ON version.id = metric.current_version_id
            WHERE metric.project_id = @project
            ORDER BY metric.name
            """,
            MetricRow.Read, ct, ("project", project.Value)).ConfigureAwait(false);

    public async Task<IReadOnlyList<Metric>> VersionsAsync(ProjectId project, string name, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {MetricRow.Columns}
            FROM metric
            JOIN metric_version AS version ON version.metric_id = metric.id
            WHERE metric.project_id = @project AND metric.name = @name
            ORDER BY version.number
            """,
            MetricRow.Read, ct, ("project", project.Value), ("name", name)).ConfigureAwait(false);

    public async Task<bool> SetStateAsync(
        ProjectId project, string name, MetricState state, string author, DateTimeOffset at, CancellationToken ct)
    {
        var found = await database.WriteAsync(
            Urgency.Interactive, session => SetStateAsync(database, session, project, name, state, author, at, ct), ct)
                .ConfigureAwait(false);
        Changed();
        return found;
    }

    public Task<IReadOnlyList<MetricCell>> CellsAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        CellsAsync("metric_cell", project, metric, ct);

    public Task<IReadOnlyList<MetricCell>> RecomputedCellsAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        CellsAsync("metric_cell_recomputed", project, metric, ct);

    public Task<int> FoldAsync(int limit, CancellationToken ct) =>
        database.WriteAsync(Urgency.Background, session => database.FoldAsync(session, limit, ct), ct);

    /// <summary>With its audit entry, inside another act's transaction.</summary>
    internal static async Task<bool> SetStateAsync(
        Database database, Session session, ProjectId project, string name, MetricState state, string author, DateTimeOffset at,
        CancellationToken ct)
    {
        var changed = await session.ExecuteAsync(
            "UPDATE metric SET state = @state WHERE project_id = @project AND name = @name",
            ct, ("state", Wire.Name(state)), ("project", project.Value), ("name", name)).ConfigureAwait(false);
        if (changed == 0)
            return false;
        await AuditStore.AppendAsync(
            database, session, project, at, author, "metric.state", name, JsonSerializer.Serialize(new { state = Wire.Name(state) }), ct)
            .ConfigureAwait(false);
        return true;
    }

    /// <summary>Tells whoever keeps what was read that another store changed metrics.</summary>
    internal void Changed() => Interlocked.Increment(ref revision);

    /// <summary>Adds a version inside the transaction of what brought it about; see <see cref="Changed"/>.</summary>
    internal async Task<Metric?> AddAsync(
        Session session, ProjectId project, NewMetric metric, bool expectNew, DateTimeOffset at, CancellationToken ct)
    {
        var id = await session.NumberAsync(
            """
            INSERT INTO metric (project_id, name, state) VALUES (@project, @name, @state)
            ON CONFLICT (project_id, name) DO NOTHING
            RETURNING id
            """,
            ct, ("project", project.Value), ("name", metric.Name), ("state", Wire.Name(metric.State))).ConfigureAwait(false);
        if (id is null && expectNew)
            return null;
        // The update also makes writers of the same metric wait for each other, so that numbers rise by one.
        id ??= await session.NumberAsync(
            "UPDATE metric SET state = @state WHERE project_id = @project AND name = @name RETURNING id",
            ct, ("project", project.Value), ("name", metric.Name), ("state", Wire.Name(metric.State))).ConfigureAwait(false);

        var number = 1 + await session.NumberAsync(
            "SELECT coalesce(max(number), 0) FROM metric_version WHERE metric_id = @metric", ct, ("metric", id)).ConfigureAwait(false);
        var version = await session.NumberAsync(
            """
            INSERT INTO metric_version (
                metric_id, number, role, criterion, subject, nodes, kinds, sampling, validator, author, created_at, on_fail, on_error, segments,
                labels_per_item)
            VALUES (
                @metric, @number, @role, @criterion, @subject, @nodes, @kinds, @sampling, @validator, @author, @at, @on_fail, @on_error,
                @segments, @people)
            RETURNING id
            """,
            ct,
            ("metric", id), ("number", number), ("role", Wire.Name(metric.Role)), ("criterion", metric.Criterion),
            ("subject", Wire.Name(metric.Subject)), ("nodes", metric.Nodes is null ? null : JsonSerializer.Serialize(metric.Nodes)),
            ("kinds", metric.Kinds is null ? null : JsonSerializer.Serialize(metric.Kinds.Select(Wire.Name))),
            ("sampling", metric.Sampling), ("validator", MetricRow.Json(metric.Validator)), ("author", metric.Author), ("at", at),
            ("on_fail", metric.OnFail is { } onFail ? Wire.Name(onFail) : null),
            ("on_error", metric.OnError is { } onError ? Wire.Name(onError) : null),
            ("segments", metric.Segments is null ? null : JsonSerializer.Serialize(metric.Segments)),
            ("people", metric.LabelsPerItem))
            .ConfigureAwait(false);
        await session.ExecuteAsync(
            "UPDATE metric SET current_version_id = @version WHERE id = @metric", ct, ("version", version), ("metric", id))
            .ConfigureAwait(false);
        await AuditStore.AppendAsync(
            database, session, project, at, metric.Author, number == 1 ? "metric.add" : "metric.change", metric.Name,
            string.Create(CultureInfo.InvariantCulture, $$"""{"number":{{number}}}"""), ct).ConfigureAwait(false);
        return await VersionAsync(session, project, version!.Value, ct).ConfigureAwait(false);
    }

    static Task<Metric?> VersionAsync(Session session, ProjectId project, long version, CancellationToken ct) =>
        session.FirstAsync(
            $"""
            SELECT {MetricRow.Columns}
            FROM metric
            JOIN metric_version AS version ON version.metric_id = metric.id
            WHERE metric.project_id = @project AND version.id = @version
            """,
            MetricRow.Read, ct, ("project", project.Value), ("version", version));

    async Task<IReadOnlyList<MetricCell>> CellsAsync(string view, ProjectId project, MetricId metric, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT metric_version_id, validator_version, node, bucket, outcome, human, total, chance
            FROM {view}
            WHERE project_id = @project AND metric_version_id IN (
                SELECT version.id
                FROM metric_version AS version
                JOIN metric ON metric.id = version.metric_id
                WHERE metric.project_id = @project AND metric.id = @metric)
            ORDER BY metric_version_id, validator_version, node, bucket, outcome, human, chance
            """,
            Cell, ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);

    static MetricCell Cell(DbDataReader row) => new(
        new(row.GetInt64(0)), row.GetString(1), row.GetString(2), row.Moment(3), row.Word<Outcome>(4),
        row.GetInt64(5) switch { 1 => true, 0 => false, _ => null }, row.GetInt64(6), row.GetDouble(7));
}
