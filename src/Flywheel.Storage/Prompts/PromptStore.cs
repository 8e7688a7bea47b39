using System.Data.Common;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Core.Traces;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Prompts;

internal sealed class PromptStore(Database database) : IPromptStore
{
    const string Columns = "project_id, name, number, type, template, config, note, author, created_at";
    const string ProposalColumns = "id, subject, base, change, evidence, state, author, created_at, decided_by, decided_at";

    /// <summary>The proposals that are labels to be moved.</summary>
    const string Moves = "kind = 'prompt' AND action = 'move'";

    public Task<PromptVersion> AddAsync(PromptVersion version, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await WaitAsync(session, version.Project, ct).ConfigureAwait(false);
                var newest = await session.FirstAsync(
                    $"SELECT {Columns} FROM prompt_version WHERE project_id = @project AND name = @name ORDER BY number DESC LIMIT 1",
                    Read, ct, ("project", version.Project.Value), ("name", version.Name)).ConfigureAwait(false);
                if (newest is not null && newest.Type != version.Type)
                    throw new ArgumentException(
                        $"`{version.Name}` is a {Wire.Name(newest.Type)} prompt: its versions stay of that type.", nameof(version));
                if (newest is not null && (newest.Template, newest.Config) == (version.Template, version.Config))
                    return newest;
                var added = version with { Number = (newest?.Number ?? 0) + 1,
                    CreatedAt = Timestamps.At(Timestamps.Micros(version.CreatedAt)) };
                await session.ExecuteAsync(
                    """
                    INSERT INTO prompt_version (project_id, name, number, type, template, config, note, author, created_at)
                    VALUES (@project, @name, @number, @type, @template, @config, @note, @author, @at)
                    """,
                    ct, ("project", added.Project.Value), ("name", added.Name), ("number", added.Number), ("type", Wire.Name(added.Type)),
                    ("template", added.Template), ("config", added.Config), ("note", added.Note), ("author", added.Author),
                    ("at", added.CreatedAt)).ConfigureAwait(false);
                await AuditAsync(session, added.Project, added.CreatedAt, added.Author, "prompt.add", added.Name,
                    new { version = added.Number, note = added.Note }, ct)
                    .ConfigureAwait(false);
                return added;
            },
            ct);

    public async Task<IReadOnlyList<PromptSummary>> ListAsync(ProjectId project, CancellationToken ct)
    {
        var labels = (await database.QueryAsync(
            "SELECT label, number, author, updated_at, name FROM prompt_label WHERE project_id = @project ORDER BY name, label",
            row => (Name: row.GetString(4), Label: ReadLabel(row)), ct, ("project", project.Value)).ConfigureAwait(false))
                .ToLookup(each => each.Name, each => each.Label);
        return await database.QueryAsync(
            """
            SELECT name, min(type), max(number), max(created_at)
            FROM prompt_version
            WHERE project_id = @project
            GROUP BY name
            ORDER BY name
            """,
            row => new PromptSummary(
                row.GetString(0), row.Word<PromptType>(1), (int)row.GetInt64(2), row.Moment(3), [.. labels[row.GetString(0)]]),
            ct, ("project", project.Value)).ConfigureAwait(false);
    }

    public Task<PromptVersion?> FindAsync(ProjectId project, string name, int number, CancellationToken ct) =>
        database.FirstAsync(
            $"SELECT {Columns} FROM prompt_version WHERE project_id = @project AND name = @name AND number = @number",
            Read, ct, ("project", project.Value), ("name", name), ("number", number));

    public Task<PromptVersion?> FindAsync(ProjectId project, string name, string label, CancellationToken ct) =>
        database.FirstAsync(
            label == PromptLabel.Latest
                ? $"""
                SELECT {Columns}
                FROM prompt_version
                WHERE project_id = @project AND name = @name AND @label <> ''
                ORDER BY number DESC
                LIMIT 1
                """
                : $"""
                SELECT {Columns}
                FROM prompt_version
                WHERE project_id = @project AND name = @name AND number = (
                    SELECT prompt_label.number FROM prompt_label
                    WHERE prompt_label.project_id = @project AND prompt_label.name = @name AND label = @label)
                """,
            Read, ct, ("project", project.Value), ("name", name), ("label", label));

    public async Task<IReadOnlyList<PromptVersion>> VersionsAsync(ProjectId project, string name, CancellationToken ct) =>
        await database.QueryAsync(
            $"SELECT {Columns} FROM prompt_version WHERE project_id = @project AND name = @name ORDER BY number DESC",
            Read, ct, ("project", project.Value), ("name", name)).ConfigureAwait(false);

    public async Task<IReadOnlyList<PromptLabel>> LabelsAsync(ProjectId project, string name, CancellationToken ct) =>
        await database.QueryAsync(
            "SELECT label, number, author, updated_at FROM prompt_label WHERE project_id = @project AND name = @name ORDER BY label",
            ReadLabel, ct, ("project", project.Value), ("name", name)).ConfigureAwait(false);

    public Task<PromptLabelProposal?> MoveAsync(
        ProjectId project, string name, string label, int number, string? reason, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync<PromptLabelProposal?>(
            Urgency.Interactive,
            async session =>
            {
                await WaitAsync(session, project, ct).ConfigureAwait(false);
                var version = await session.NumberAsync(
                    "SELECT number FROM prompt_version WHERE project_id = @project AND name = @name AND number = @number",
                    ct, ("project", project.Value), ("name", name), ("number", number)).ConfigureAwait(false);
                if (version is null)
                    throw new KeyNotFoundException($"Prompt `{name}` has no version {number}.");
                var from = await StandsAsync(session, project, name, label, ct).ConfigureAwait(false);
                if (from == number)
                    return null;
                if (!(await ProtectedAsync(session, project, ct).ConfigureAwait(false)).Contains(label))
                {
                    await PutAsync(session, project, name, label, number, from, author, at, ct).ConfigureAwait(false);
                    return null;
                }
                var (start, change) = (
                    Core.Proposals.ProposalJson.Write(new LabelMoveBase(label, from)),
                    Core.Proposals.ProposalJson.Write(new LabelMove(number)));
                var same = await session.FirstAsync(
                    $"""
                    SELECT {ProposalColumns}
                    FROM proposal
                    WHERE project_id = @project AND {Moves} AND subject = @name AND base = @base AND change = @change AND state = 'proposed'
                    ORDER BY id DESC
                    LIMIT 1
                    """,
                    ReadProposal, ct, ("project", project.Value), ("name", name), ("base", start), ("change", change))
                        .ConfigureAwait(false);
                if (same is not null)
                    return same;
                var proposal = (await session.FirstAsync(
                    $"""
                    INSERT INTO proposal (project_id, kind, action, subject, summary, base, change, evidence, author, created_at)
                    VALUES (@project, 'prompt', 'move', @name, @summary, @base, @change, @evidence, @author, @at)
                    RETURNING {ProposalColumns}
                    """,
                    ReadProposal, ct, ("project", project.Value), ("name", name),
                    ("summary", $"Label `{label}` points to version {number}."),
                    ("base", start), ("change", change), ("evidence", Core.Proposals.ProposalJson.Write(new LabelMoveReason(reason))),
                    ("author", author), ("at", at))
                    .ConfigureAwait(false))!;
                await AuditAsync(session, project, at, author, "prompt.propose", name,
                    new { proposal = proposal.Id, label, version = number, from, reason }, ct)
                    .ConfigureAwait(false);
                return proposal;
            },
            ct);

    public async Task<IReadOnlyList<PromptLabelProposal>> ProposalsAsync(
        ProjectId project, ProposalState? state, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {ProposalColumns}
            FROM proposal
            WHERE project_id = @project AND {Moves} AND (CAST(@state AS TEXT) IS NULL OR state = @state)
            ORDER BY id DESC
            LIMIT @limit
            """,
            ReadProposal, ct, ("project", project.Value), ("state", state is { } one ? Wire.Name(one) : null), ("limit", limit))
                .ConfigureAwait(false);

    public Task<PromptDecision> DecideAsync(
        ProjectId project, long proposal, bool approve, string person, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await WaitAsync(session, project, ct).ConfigureAwait(false);
                var found = await session.FirstAsync(
                    $"SELECT {ProposalColumns} FROM proposal WHERE project_id = @project AND {Moves} AND id = @id",
                    ReadProposal, ct, ("project", project.Value), ("id", proposal)).ConfigureAwait(false);
                if (found is null)
                    return PromptDecision.Unknown;
                if (found.State != ProposalState.Proposed)
                    return PromptDecision.Already;
                var stands = await StandsAsync(session, project, found.Name, found.Label, ct).ConfigureAwait(false);
                if (approve && stands != found.From)
                    return PromptDecision.Stale;
                await session.ExecuteAsync(
                    "UPDATE proposal SET state = @state, decided_by = @person, decided_at = @at WHERE project_id = @project AND id = @id",
                    ct, ("state", approve ? "approved" : "rejected"), ("person", person), ("at", at), ("project", project.Value),
                    ("id", proposal))
                    .ConfigureAwait(false);
                await AuditAsync(session, project, at, person, approve ? "prompt.approve" : "prompt.reject", found.Name,
                    new { proposal, label = found.Label, version = found.Number, author = found.Author }, ct).ConfigureAwait(false);
                if (approve)
                    await PutAsync(session, project, found.Name, found.Label, found.Number, stands, person, at, ct).ConfigureAwait(false);
                return PromptDecision.Done;
            },
            ct);

    public async Task<IReadOnlyList<PromptUse>> UsesAsync(ProjectId project, string name, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT prompt_version, count(*), min(started_at), max(started_at)
            FROM span
            WHERE project_id = @project AND prompt = @name
            GROUP BY prompt_version
            ORDER BY prompt_version DESC
            """,
            row => new PromptUse(row.GetInt32(0), row.GetInt64(1), row.Moment(2), row.Moment(3)), ct, ("project", project.Value),
            ("name", name))
            .ConfigureAwait(false);

    public async Task<IReadOnlyList<SpanKey>> SpansAsync(ProjectId project, string name, int number, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT trace_id, span_id
            FROM span
            WHERE project_id = @project AND prompt = @name AND prompt_version = @number
            ORDER BY started_at DESC, id DESC
            LIMIT @limit
            """,
            row => new SpanKey(row.GetString(0), row.GetString(1)), ct,
            ("project", project.Value), ("name", name), ("number", number), ("limit", limit)).ConfigureAwait(false);

    public Task<IReadOnlyList<string>> ProtectedAsync(ProjectId project, CancellationToken ct) =>
        database.ReadAsync(session => ProtectedAsync(session, project, ct), ct);

    public Task ProtectAsync(ProjectId project, IReadOnlyList<string> labels, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await session.ExecuteAsync(
                    "UPDATE project SET protected_labels = @labels WHERE id = @project",
                    ct, ("labels", labels.Count == 0 ? null : JsonSerializer.Serialize(labels)), ("project", project.Value))
                        .ConfigureAwait(false);
                await AuditAsync(session, project, at, author, "prompt.protect", "labels", new { labels }, ct).ConfigureAwait(false);
                return true;
            },
            ct);

    static async Task<IReadOnlyList<string>> ProtectedAsync(Session session, ProjectId project, CancellationToken ct)
    {
        var stored = await session.FirstAsync(
            "SELECT coalesce(protected_labels, '[]') FROM project WHERE id = @project", row =>
                row.GetString(0), ct, ("project", project.Value))
            .ConfigureAwait(false);
        return stored is null ? [] : JsonSerializer.Deserialize<string[]>(stored) ?? [];
    }

    static async Task<int?> StandsAsync(Session session, ProjectId project, string name, string label, CancellationToken ct) =>
        (int?)await session.NumberAsync(
            "SELECT number FROM prompt_label WHERE project_id = @project AND name = @name AND label = @label",
            ct, ("project", project.Value), ("name", name), ("label", label)).ConfigureAwait(false);

    async Task PutAsync(
        Session session, ProjectId project, string name, string label, int number, int? from, string author, DateTimeOffset at,
        CancellationToken ct)
    {
        await session.ExecuteAsync(
            """
            INSERT INTO prompt_label (project_id, name, label, number, author, updated_at)
            VALUES (@project, @name, @label, @number, @author, @at)
            ON CONFLICT (project_id, name, label) DO UPDATE
            SET number = excluded.number, author = excluded.author, updated_at = excluded.updated_at
            """,
            ct, ("project", project.Value), ("name", name), ("label", label), ("number", number), ("author", author), ("at", at))
                .ConfigureAwait(false);
        await AuditAsync(session, project, at, author, "prompt.label", name, new { label, version = number, from }, ct)
            .ConfigureAwait(false);
    }

    /// <summary>Numbers and labels of a project change one after the other.</summary>
    async Task WaitAsync(Session session, ProjectId project, CancellationToken ct)
    {
        if (database.LockAudit is { } wait)
            await session.NumberAsync(wait, ct, ("project", project.Value)).ConfigureAwait(false);
    }

    Task AuditAsync(
        Session session, ProjectId project, DateTimeOffset at, string actor, string action, string subject, object details,
        CancellationToken ct) =>
        AuditStore.AppendAsync(database, session, project, at, actor, action, subject, JsonSerializer.Serialize(details), ct);

    static PromptVersion Read(DbDataReader row) => new(
        new(row.GetInt64(0)), row.GetString(1), (int)row.GetInt64(2), row.Word<PromptType>(3), row.GetString(4), row.GetString(5),
        row.TextOrNull(6),
        row.GetString(7), row.Moment(8));

    static PromptLabel ReadLabel(DbDataReader row) => new(row.GetString(0), (int)row.GetInt64(1), row.GetString(2), row.Moment(3));

    static PromptLabelProposal ReadProposal(DbDataReader row)
    {
        var start = Core.Proposals.ProposalJson.Read<LabelMoveBase>(row.GetString(2));
        return new(
            row.GetInt64(0), row.GetString(1), start.Label, Core.Proposals.ProposalJson.Read<LabelMove>(row.GetString(3)).Number,
            start.From,
            Core.Proposals.ProposalJson.Read<LabelMoveReason>(row.GetString(4)).Reason, row.Word<ProposalState>(5), row.GetString(6),
            row.Moment(7),
            row.TextOrNull(8), row.MomentOrNull(9));
    }

    /// <summary>What a move starts from.</summary>
    sealed record LabelMoveBase(string Label, int? From);

    sealed record LabelMove(int Number);

    sealed record LabelMoveReason(string? Reason);
}
