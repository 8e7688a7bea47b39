using System.Data.Common;
using System.Text.Json;
using Flywheel.Core.Datasets;
using Flywheel.Core.Projects;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Datasets;

internal sealed class DatasetStore(Database database) : IDatasetStore
{
    const string VersionColumns = "dataset, number, items, content_hash, added, removed, erased, note, author, created_at";
    const string ItemColumns =
        "ordinal, content_hash, input, expected, attributes, split, trace_id, span_id, end_user, added_in, removed_in";

    public Task<(Dataset Dataset, bool IsNew)> CreateAsync(
        ProjectId project, string name, string? description, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await WaitAsync(session, project, ct).ConfigureAwait(false);
                var made = await session.ExecuteAsync(
                    """
                    INSERT INTO dataset (project_id, name, description, author, created_at)
                    VALUES (@project, @name, @description, @author, @at)
                    ON CONFLICT (project_id, name) DO NOTHING
                    """,
                    ct, ("project", project.Value), ("name", name), ("description", description), ("author", author), ("at", at))
                        .ConfigureAwait(false);
                if (made > 0)
                    await AuditAsync(session, project, at, author, "dataset.create", name, new { description }, ct).ConfigureAwait(false);
                return ((await FindAsync(session, project, name, ct).ConfigureAwait(false))!, made > 0);
            },
            ct);

    public async Task<IReadOnlyList<Dataset>> ListAsync(ProjectId project, CancellationToken ct) =>
        await database.ReadAsync(session => ListAsync(session, project, null, ct), ct).ConfigureAwait(false);

    public Task<Dataset?> FindAsync(ProjectId project, string name, CancellationToken ct) =>
        database.ReadAsync(session => FindAsync(session, project, name, ct), ct);

    public Task<DatasetVersion?> VersionAsync(ProjectId project, string name, int? number, CancellationToken ct) =>
        database.ReadAsync(session => VersionAsync(session, project, name, number, ct), ct);

    public async Task<IReadOnlyList<DatasetVersion>> VersionsAsync(ProjectId project, string name, CancellationToken ct) =>
        await database.QueryAsync(
            $"SELECT {VersionColumns} FROM dataset_version WHERE project_id = @project AND dataset = @name ORDER BY number DESC",
            ReadVersion, ct, ("project", project.Value), ("name", name)).ConfigureAwait(false);

    public async Task<DatasetChange> AddAsync(
        ProjectId project, string name, IReadOnlyList<NewDatasetItem> items, string? note, string author, DateTimeOffset at,
        CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(items.Count, IDatasetStore.MaxItems, nameof(items));
        var hashed = items.Select(item => (Hash: item.ContentHash(), Item: item)).DistinctBy(each => each.Hash).ToArray();
        return await database.WriteAsync<DatasetChange>(
            Urgency.Interactive,
            async session =>
            {
                var newest = await BeginAsync(session, project, name, ct).ConfigureAwait(false);
                var known = (await session.QueryAsync(
                    """
                    SELECT content_hash FROM dataset_item
                    WHERE project_id = @project AND dataset = @name AND removed_in IS NULL AND content_hash IN (@hashes)
                    """,
                    row => row.GetString(0), ct, ("project", project.Value), ("name", name),
                    ("hashes", hashed.Select(each => each.Hash).ToArray()))
                    .ConfigureAwait(false)).ToHashSet();
                var added = hashed.Where(each => !known.Contains(each.Hash)).ToArray();
                if (added.Length == 0)
                    return new(newest, false, 0, 0, items.Count);
                var number = (newest?.Number ?? 0) + 1;
                var first = (await session.NumberAsync(
                    "SELECT next_ordinal FROM dataset WHERE project_id = @project AND name = @name",
                    ct, ("project", project.Value), ("name", name)).ConfigureAwait(false))!.Value;
                await session.ExecuteAsync(
                    "UPDATE dataset SET next_ordinal = @next WHERE project_id = @project AND name = @name",
                    ct, ("next", first + added.Length), ("project", project.Value), ("name", name)).ConfigureAwait(false);
                await InsertAsync(session, project, name,
                    [.. added.Select((each, i) => new DatasetItem(first + i, each.Item, each.Hash, number, null))], ct)
                    .ConfigureAwait(false);
                var version = await VersionAsync(session, project, name, newest, added.Length, 0, note, author, at, ct)
                    .ConfigureAwait(false);
                return new(version, true, added.Length, 0, items.Count - added.Length);
            },
            ct).ConfigureAwait(false);
    }

    public Task<DatasetChange> RemoveAsync(
        ProjectId project, string name, IReadOnlyList<long> ordinals, string? note, string author, DateTimeOffset at,
        CancellationToken ct) =>
        database.WriteAsync<DatasetChange>(
            Urgency.Interactive,
            async session =>
            {
                var newest = await BeginAsync(session, project, name, ct).ConfigureAwait(false);
                var removed = await session.ExecuteAsync(
                    """
                    UPDATE dataset_item
                    SET removed_in = @number
                    WHERE project_id = @project AND dataset = @name AND removed_in IS NULL AND ordinal IN (@ordinals)
                    """,
                    ct, ("number", (newest?.Number ?? 0) + 1), ("project", project.Value), ("name", name),
                    ("ordinals", ordinals.Distinct().ToArray()))
                    .ConfigureAwait(false);
                if (removed == 0)
                    return new(newest, false, 0, 0, 0);
                var version = await VersionAsync(session, project, name, newest, 0, removed, note, author, at, ct).ConfigureAwait(false);
                return new(version, true, 0, removed, 0);
            },
            ct);

    public Task<Dataset?> DeleteAsync(ProjectId project, string name, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await WaitAsync(session, project, ct).ConfigureAwait(false);
                if (await FindAsync(session, project, name, ct).ConfigureAwait(false) is not { } dataset)
                    return null;
                foreach (var statement in (string[])
                    [
                        "DELETE FROM dataset_item WHERE project_id = @project AND dataset = @name",
                        "DELETE FROM dataset_version WHERE project_id = @project AND dataset = @name",
                        "DELETE FROM dataset WHERE project_id = @project AND name = @name",
                    ])
                    await session.ExecuteAsync(statement, ct, ("project", project.Value), ("name", name)).ConfigureAwait(false);
                await AuditAsync(
                    session, project, at, author, "dataset.delete", name,
                    new { version = dataset.Latest?.Number, items = dataset.Latest?.Items, content = dataset.Latest?.ContentHash }, ct)
                        .ConfigureAwait(false);
                return dataset;
            },
            ct);

    public async Task<IReadOnlyList<DatasetItem>> ItemsAsync(
        ProjectId project, string name, int number, string? split, long after, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {ItemColumns}
            FROM dataset_item
            WHERE project_id = @project AND dataset = @name AND ordinal > @after
                AND added_in <= @number AND (removed_in IS NULL OR removed_in > @number)
                AND (CAST(@split AS TEXT) IS NULL OR split = @split)
            ORDER BY ordinal
            LIMIT @limit
            """,
            ReadItem, ct, ("project", project.Value), ("name", name), ("after", after), ("number", number), ("split", split),
            ("limit", limit))
            .ConfigureAwait(false);

    public async Task<IReadOnlyList<DatasetDifference>> DiffAsync(
        ProjectId project, string name, int from, int to, long after, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {ItemColumns}, CASE WHEN added_in <= @to AND (removed_in IS NULL OR removed_in > @to) THEN 1 ELSE 0 END
            FROM dataset_item
            WHERE project_id = @project AND dataset = @name AND ordinal > @after
                AND CASE WHEN added_in <= @to AND (removed_in IS NULL OR removed_in > @to) THEN 1 ELSE 0 END
                    <> CASE WHEN added_in <= @from AND (removed_in IS NULL OR removed_in > @from) THEN 1 ELSE 0 END
            ORDER BY ordinal
            LIMIT @limit
            """,
            row => new DatasetDifference(row.YesNo(11), ReadItem(row)), ct,
            ("to", to), ("project", project.Value), ("name", name), ("after", after), ("from", from), ("limit", limit))
                .ConfigureAwait(false);

    public Task<SpanSelection> SelectAsync(ProjectId project, SpanQuery query, CancellationToken ct) =>
        SpanChoice.SelectAsync(database, project, query, ct);

    /// <summary>Takes items out of every version that has them, and says so in those versions.</summary>
    /// <param name="traces">Of the person's spans: items of these that name nobody are theirs too.</param>
    internal static async Task<int> EraseAsync(Session session, ProjectId project, string endUser, string[] traces, CancellationToken ct)
    {
        var gone = await session.QueryAsync(
            """
            SELECT dataset, ordinal, added_in, removed_in
            FROM dataset_item
            WHERE project_id = @project AND (end_user = @user OR (end_user IS NULL AND trace_id IN (@traces)))
            """,
            row => (Dataset: row.GetString(0), Ordinal: row.GetInt64(1), From: row.GetInt32(2), Until: row.IntOrNull(3)), ct,
            ("project", project.Value), ("user", endUser), ("traces", traces)).ConfigureAwait(false);
        foreach (var items in gone.GroupBy(item => item.Dataset))
        {
            await session.ExecuteAsync(
                "DELETE FROM dataset_item WHERE project_id = @project AND dataset = @name AND ordinal IN (@ordinals)",
                ct, ("project", project.Value), ("name", items.Key), ("ordinals", items.Select(item => item.Ordinal).ToArray()))
                    .ConfigureAwait(false);
            var numbers = await session.QueryAsync(
                "SELECT number FROM dataset_version WHERE project_id = @project AND dataset = @name ORDER BY number",
                row => row.GetInt32(0), ct, ("project", project.Value), ("name", items.Key)).ConfigureAwait(false);
            foreach (var number in numbers)
            {
                var count = items.Count(item => item.From <= number && (item.Until is not { } until || until > number));
                if (count == 0)
                    continue;
                await session.ExecuteAsync(
                    """
                    UPDATE dataset_version
                    SET items = items - @count, erased = erased + @count, content_hash = @hash
                    WHERE project_id = @project AND dataset = @name AND number = @number
                    """,
                    ct, ("count", count),
                    ("hash", (await ContentAsync(session, project, items.Key, number, ct).ConfigureAwait(false)).Hash),
                    ("project", project.Value), ("name", items.Key), ("number", number)).ConfigureAwait(false);
            }
        }
        return gone.Count;
    }

    static Task<int> InsertAsync(Session session, ProjectId project, string name, DatasetItem[] items, CancellationToken ct) =>
        session.ExecuteGivenAsync(
            """
            INSERT INTO dataset_item (
                project_id, dataset, ordinal, content_hash, input, expected, attributes, split, trace_id, span_id, end_user, added_in)
            SELECT project, dataset, ordinal, content_hash, input, expected, attributes, split, trace_id, span_id, end_user, added_in
            FROM @given
            """,
            ct,
            new("project", items.Select(_ => project.Value).ToArray()), new("dataset", items.Select(_ => name).ToArray()),
            new("ordinal", items.Select(item => item.Ordinal).ToArray()),
            new("content_hash", items.Select(item => item.ContentHash).ToArray()),
            new("input", items.Select(item => item.Content.Input).ToArray()),
            new("expected", items.Select(item => item.Content.Expected).ToArray()),
            new("attributes", items.Select(item => item.Content.Attributes).ToArray()),
            new("split", items.Select(item => item.Content.Split).ToArray()),
            new("trace_id", items.Select(item => item.Content.Source?.Trace).ToArray()),
            new("span_id", items.Select(item => item.Content.Source?.Span).ToArray()),
            new("end_user", items.Select(item => item.Content.EndUser).ToArray()),
            new("added_in", items.Select(item => item.AddedIn).ToArray()));

    /// <summary>Changes of a project's data sets come one after the other.</summary>
    /// <returns>The newest version; null when there is none.</returns>
    async Task<DatasetVersion?> BeginAsync(Session session, ProjectId project, string name, CancellationToken ct)
    {
        await WaitAsync(session, project, ct).ConfigureAwait(false);
        return await FindAsync(session, project, name, ct).ConfigureAwait(false) is { } dataset
            ? dataset.Latest
            : throw new KeyNotFoundException($"There is no data set `{name}`.");
    }

    async Task<DatasetVersion> VersionAsync(
        Session session, ProjectId project, string name, DatasetVersion? before, long added, long removed, string? note, string author,
        DateTimeOffset at,
        CancellationToken ct)
    {
        var number = (before?.Number ?? 0) + 1;
        var (items, hash) = await ContentAsync(session, project, name, number, ct).ConfigureAwait(false);
        var version = new DatasetVersion(name, number, items, hash, added, removed, 0, note, author, Timestamps.At(Timestamps.Micros(at)));
        await session.ExecuteAsync(
            """
            INSERT INTO dataset_version (project_id, dataset, number, items, content_hash, added, removed, note, author, created_at)
            VALUES (@project, @name, @number, @items, @hash, @added, @removed, @note, @author, @at)
            """,
            ct, ("project", project.Value), ("name", name), ("number", number), ("items", items), ("hash", hash), ("added", added),
            ("removed", removed),
            ("note", note), ("author", author), ("at", at)).ConfigureAwait(false);
        await AuditAsync(session, project, at, author, "dataset.version", name,
            new { version = number, added, removed, content = hash, note }, ct)
            .ConfigureAwait(false);
        return version;
    }

    static async Task<(long Items, string Hash)> ContentAsync(
        Session session, ProjectId project, string name, int number, CancellationToken ct)
    {
        var hashes = await session.QueryAsync(
            """
            SELECT content_hash FROM dataset_item
            WHERE project_id = @project AND dataset = @name AND added_in <= @number AND (removed_in IS NULL OR removed_in > @number)
            """,
            row => row.GetString(0), ct, ("project", project.Value), ("name", name), ("number", number)).ConfigureAwait(false);
        return (hashes.Count, DatasetVersion.HashOf(hashes));
    }

    static async Task<Dataset?> FindAsync(Session session, ProjectId project, string name, CancellationToken ct) =>
        await ListAsync(session, project, name, ct).ConfigureAwait(false) is [var one] ? one : null;

    static async Task<IReadOnlyList<Dataset>> ListAsync(Session session, ProjectId project, string? name, CancellationToken ct)
    {
        var newest = (await session.QueryAsync(
            $"""
            SELECT {VersionColumns}
            FROM dataset_version
            WHERE project_id = @project AND (CAST(@name AS TEXT) IS NULL OR dataset = @name) AND number = (
                SELECT max(number) FROM dataset_version AS other WHERE other.project_id = @project AND other.dataset = dataset_version.dataset)
            """,
            ReadVersion, ct, ("project", project.Value), ("name", name)).ConfigureAwait(false)).ToDictionary(version => version.Dataset);
        return await session.QueryAsync(
            """
            SELECT name, description, author, created_at
            FROM dataset
            WHERE project_id = @project AND (CAST(@name AS TEXT) IS NULL OR name = @name)
            ORDER BY name
            """,
            row => new Dataset(row.GetString(0), row.TextOrNull(1), row.GetString(2), row.Moment(3),
                newest.GetValueOrDefault(row.GetString(0))), ct,
            ("project", project.Value), ("name", name)).ConfigureAwait(false);
    }

    static Task<DatasetVersion?> VersionAsync(Session session, ProjectId project, string name, int? number, CancellationToken ct) =>
        session.FirstAsync(
            $"""
            SELECT {VersionColumns}
            FROM dataset_version
            WHERE project_id = @project AND dataset = @name AND (CAST(@number AS BIGINT) IS NULL OR number = @number)
            ORDER BY number DESC
            LIMIT 1
            """,
            ReadVersion, ct, ("project", project.Value), ("name", name), ("number", number));

    async Task WaitAsync(Session session, ProjectId project, CancellationToken ct)
    {
        if (database.LockAudit is { } wait)
            await session.NumberAsync(wait, ct, ("project", project.Value)).ConfigureAwait(false);
    }

    Task AuditAsync(
        Session session, ProjectId project, DateTimeOffset at, string actor, string action, string subject, object details,
        CancellationToken ct) =>
        AuditStore.AppendAsync(database, session, project, at, actor, action, subject, JsonSerializer.Serialize(details), ct);

    static DatasetVersion ReadVersion(DbDataReader row) => new(
        row.GetString(0), row.GetInt32(1), row.GetInt64(2), row.GetString(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6),
        row.TextOrNull(7),
        row.GetString(8), row.Moment(9));

    static DatasetItem ReadItem(DbDataReader row) => new(
        row.GetInt64(0),
        new(row.GetString(2), row.TextOrNull(3), row.TextOrNull(4), row.TextOrNull(5),
            row.IsDBNull(6) || row.IsDBNull(7) ? null : new(row.GetString(6), row.GetString(7)), row.TextOrNull(8)),
        row.GetString(1), row.GetInt32(9), row.IntOrNull(10));
}
