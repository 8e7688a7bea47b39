using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Retrieval;

internal sealed class DemonstrationStore(Database database) : IDemonstrationStore
{
    /// <summary>Imported rows of one transaction: others get their turn between.</summary>
    const int ImportChunk = 500;

    readonly ShortLivedCache<string, long> latest = new(database);

    public async Task AddAsync(IReadOnlyList<Demonstration> demonstrations, CancellationToken ct)
    {
        foreach (var chunk in demonstrations.Chunk(ImportChunk))
            await database.WriteAsync(Urgency.Background, session => AddAsync(session, chunk, ct), ct).ConfigureAwait(false);
    }

    public Task<InsertResult?> ProposeAsync(Demonstration demonstration, int mostPending, CancellationToken ct) =>
        database.WriteAsync<InsertResult?>(
            Urgency.Interactive,
            async session =>
            {
                var it = demonstration;
                if (await session.NumberAsync(
                    "SELECT count(*) FROM demonstration WHERE project_id = @project AND id = @id", ct, ("project", it.Project.Value),
                    ("id", it.Id))
                    .ConfigureAwait(false) > 0)
                    return InsertResult.Repeated;
                if (await session.NumberAsync(
                    "SELECT count(*) FROM demonstration WHERE project_id = @project AND state = 'pending' AND author = @author", ct,
                    ("project", it.Project.Value), ("author", it.Author)).ConfigureAwait(false) >= mostPending)
                    return null;
                if (await AddAsync(session, [it], ct).ConfigureAwait(false) == 0)
                    return InsertResult.Repeated;
                await AuditStore.AppendAsync(
                    database, session, it.Project, it.CreatedAt, it.Author, "demonstration.propose", it.Id.ToString("D"),
                    JsonSerializer.Serialize(new { target = it.Target, span = it.SpanId }), ct).ConfigureAwait(false);
                return InsertResult.Stored;
            },
            ct);

    public Task<Demonstration?> GetAsync(ProjectId project, Guid id, CancellationToken ct) =>
        database.FirstAsync(
            $"SELECT {DemonstrationRow.Columns} FROM demonstration WHERE project_id = @project AND id = @id",
            DemonstrationRow.Read, ct, ("project", project.Value), ("id", id));

    public Task<Demonstration?> OfSourceAsync(ProjectId project, Guid correctionOrLabel, CancellationToken ct) =>
        database.FirstAsync(
            $"""
            SELECT {DemonstrationRow.Columns}
            FROM demonstration
            WHERE project_id = @project AND (source_correction = @id OR source_label = @id)
            """,
            DemonstrationRow.Read, ct, ("project", project.Value), ("id", correctionOrLabel));

    public async Task<Page<Demonstration>> ListAsync(ProjectId project, DemonstrationFilter filter, CancellationToken ct)
    {
        var (before, beforeId) = Cursor(filter.Cursor);
        var found = await database.QueryAsync(
            $"""
            SELECT {DemonstrationRow.Columns}
            FROM demonstration
            WHERE project_id = @project
                AND (CAST(@purpose AS TEXT) IS NULL OR purpose = @purpose)
                AND (CAST(@target AS TEXT) IS NULL OR target = @target)
                AND (CAST(@state AS TEXT) IS NULL OR state = @state)
                AND (created_at, id) < (@before, CAST(@id AS TEXT))
            ORDER BY created_at DESC, id DESC
            LIMIT @limit
            """,
            DemonstrationRow.Read, ct,
            ("project", project.Value), ("purpose", filter.Purpose is { } purpose ? Wire.Name(purpose) : null),
            ("target", filter.Target), ("state", filter.State is { } state ? Wire.Name(state) : null), ("before", before),
            ("id", beforeId), ("limit", filter.Limit + 1)).ConfigureAwait(false);
        if (found.Count <= filter.Limit)
            return new(found, null);
        found.RemoveAt(filter.Limit);
        return new(found, string.Create(CultureInfo.InvariantCulture, $"{Timestamps.Micros(found[^1].CreatedAt)}~{found[^1].Id:D}"));
    }

    public Task SetDisagreementAsync(ProjectId project, Guid id, double disagreement, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Background,
            session => session.ExecuteAsync(
                "UPDATE demonstration SET disagreement = @disagreement WHERE project_id = @project AND id = @id AND disagreement <> "
                    + "@disagreement",
                ct, ("project", project.Value), ("id", id), ("disagreement", disagreement)),
            ct);

    public Task<int> ApproveAsync(
        ProjectId project, IReadOnlyList<Guid> ids, string approver, DateTimeOffset at, CancellationToken ct) =>
        ChangeAsync(
            """
            UPDATE demonstration
            SET state = 'approved', approved_at = @at, approved_by = @by, recalled_at = NULL, recalled_by = NULL
            WHERE project_id = @project AND id IN (@ids) AND state <> 'approved'
            RETURNING id
            """,
            "demonstration.approve", project, ids, approver, at, ct);

    public Task<int> RecallAsync(
        ProjectId project, IReadOnlyList<Guid> ids, string author, DateTimeOffset at, CancellationToken ct) =>
        ChangeAsync(
            """
            UPDATE demonstration
            SET state = 'recalled', recalled_at = @at, recalled_by = @by
            WHERE project_id = @project AND id IN (@ids) AND state <> 'recalled'
            RETURNING id
            """,
            "demonstration.recall", project, ids, author, at, ct);

    public async Task<IReadOnlyList<Demonstration>> WithoutVectorAsync(string fingerprint, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {DemonstrationRow.Columns}
            FROM demonstration
            WHERE demonstration.state = 'approved' AND NOT EXISTS (
                SELECT 1 FROM embedding
                WHERE embedding.project_id = demonstration.project_id AND embedding.owner = 'demonstration'
                    AND embedding.owner_id = demonstration.id AND embedding.fingerprint = @fingerprint)
            LIMIT @limit
            """,
            DemonstrationRow.Read, ct, ("fingerprint", fingerprint), ("limit", limit)).ConfigureAwait(false);

    public Task PutVectorsAsync(
        IReadOnlyList<(ProjectId Project, Guid Id, StoredVector Vector)> vectors, DateTimeOffset at, CancellationToken ct) =>
        vectors.Count == 0
            ? Task.CompletedTask
            : database.WriteAsync(
                Urgency.Background,
                session => session.ExecuteGivenAsync(
                    // Who was deleted meanwhile gets none.
                    """
                    INSERT INTO embedding (project_id, owner, owner_id, fingerprint, scale, vector, created_at)
                    SELECT demonstration.project_id, 'demonstration', demonstration.id, given.print, given.factor, given.coordinates,
                        given.at
                    FROM @given
                    JOIN demonstration ON demonstration.project_id = given.project AND demonstration.id = given.owner
                    WHERE 1 = 1
                    ON CONFLICT (project_id, owner, owner_id, fingerprint) DO UPDATE
                    SET scale = excluded.scale, vector = excluded.vector, created_at = excluded.created_at
                    """,
                    ct,
                    new("project", vectors.Select(one => one.Project.Value).ToArray()),
                    new("owner", vectors.Select(one => one.Id.ToString("D")).ToArray()),
                    new("print", vectors.Select(one => one.Vector.Fingerprint).ToArray()),
                    new("factor", vectors.Select(one => (double)one.Vector.Scale).ToArray()),
                    new("coordinates", vectors.Select(one => MemoryMarshal.AsBytes<sbyte>(one.Vector.Values).ToArray()).ToArray()),
                    new("at", vectors.Select(_ => Timestamps.Micros(at)).ToArray())),
                ct);

    public ValueTask<long> LatestChangeAsync(CancellationToken ct) => latest.GetAsync(
        "",
        async (_, ct) => await database.NumberAsync("SELECT coalesce(max(sequence), 0) FROM demonstration_change", ct).ConfigureAwait(false)
            ?? 0,
        ct);

    public async Task<IReadOnlyList<DemonstrationChange>> ChangesAsync(long after, string fingerprint, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {DemonstrationRow.Columns}, embedding.fingerprint, embedding.scale, embedding.vector, change.sequence, change.id,
                change.project_id
            FROM demonstration_change AS change
            LEFT JOIN demonstration ON demonstration.project_id = change.project_id AND demonstration.id = change.id
            LEFT JOIN embedding ON embedding.project_id = change.project_id AND embedding.owner = 'demonstration'
                AND embedding.owner_id = change.id AND embedding.fingerprint = @fingerprint
            WHERE change.sequence > @after AND (@after > 0 OR demonstration.state = 'approved')
            ORDER BY change.sequence
            LIMIT @limit
            """,
            row => new DemonstrationChange(
                row.GetInt64(DemonstrationRow.Width + 3), row.Id(DemonstrationRow.Width + 4),
                row.IsDBNull(0) ? null : DemonstrationRow.Read(row), DemonstrationRow.ReadVector(row, DemonstrationRow.Width))
            {
                Project = new(row.GetInt64(DemonstrationRow.Width + 5)),
            },
            ct, ("fingerprint", fingerprint), ("after", after), ("limit", limit)).ConfigureAwait(false);

    static Task<int> AddAsync(Session session, Demonstration[] rows, CancellationToken ct) =>
        session.ExecuteGivenAsync(
            """
            INSERT INTO demonstration (
                project_id, id, purpose, target, input, output, rejected_output, reason, disagreement, end_user, span_id, state,
                author, created_at, approved_at, approved_by, recalled_at, recalled_by)
            SELECT project, uid, purpose, target, question, answer, rejected, why, gap, person, span, state, author, created,
                approved, approver, recalled, recaller
            FROM @given
            WHERE 1 = 1
            ON CONFLICT (project_id, id) DO NOTHING
            """,
            ct,
            new("project", rows.Select(row => row.Project.Value).ToArray()),
            new("uid", rows.Select(row => row.Id.ToString("D")).ToArray()),
            new("purpose", rows.Select(row => Wire.Name(row.Purpose)).ToArray()),
            new("target", rows.Select(row => row.Target).ToArray()),
            new("question", rows.Select(row => row.Input).ToArray()),
            new("answer", rows.Select(row => row.Output).ToArray()),
            new("rejected", rows.Select(row => row.RejectedOutput).ToArray()),
            new("why", rows.Select(row => row.Reason).ToArray()),
            new("gap", rows.Select(row => row.Disagreement).ToArray()),
            new("person", rows.Select(row => row.EndUser).ToArray()),
            new("span", rows.Select(row => row.SpanId).ToArray()),
            new("state", rows.Select(row => Wire.Name(row.State)).ToArray()),
            new("author", rows.Select(row => row.Author).ToArray()),
            new("created", rows.Select(row => Timestamps.Micros(row.CreatedAt)).ToArray()),
            new("approved", rows.Select(row => Micros(row.ApprovedAt)).ToArray()),
            new("approver", rows.Select(row => row.ApprovedBy).ToArray()),
            new("recalled", rows.Select(row => Micros(row.RecalledAt)).ToArray()),
            new("recaller", rows.Select(row => row.RecalledBy).ToArray()));

    static long? Micros(DateTimeOffset? at) => at is { } moment ? Timestamps.Micros(moment) : null;

    Task<int> ChangeAsync(
        string sql, string action, ProjectId project, IReadOnlyList<Guid> ids, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var changed = await session.QueryAsync(
                    sql, row => row.GetString(0), ct,
                    ("at", at), ("by", author), ("project", project.Value), ("ids", ids.Select(id => id.ToString("D")).ToArray()))
                    .ConfigureAwait(false);
                foreach (var id in changed.Order(StringComparer.Ordinal))
                    await AuditStore.AppendAsync(database, session, project, at, author, action, id, "{}", ct).ConfigureAwait(false);
                return changed.Count;
            },
            ct);

    static (long Before, string Id) Cursor(string? cursor)
    {
        if (cursor is null)
            return (long.MaxValue, "~");
        return cursor.Split('~') is [var time, var id]
            && long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var before)
            ? (before, id)
            : throw new ArgumentException($"'{cursor}' is no cursor of this list: start without one.", nameof(cursor));
    }
}
