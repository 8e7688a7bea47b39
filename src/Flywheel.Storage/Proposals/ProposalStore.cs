using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Proposals;
using Flywheel.Storage.Judging;
using Flywheel.Storage.Metrics;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Proposals;

/// <summary>Proposals with evidence. Labels that are to move stand in the same table and belong to the store of prompts.</summary>
internal sealed class ProposalStore(Database database, MetricStore metrics) : IProposalStore
{
    const string Columns =
        "id, project_id, kind, action, subject, summary, base, change, evidence, state, author, created_at, decided_by, decided_at, reason";

    public Task<Proposal> AddAsync(ProjectId project, NewProposal proposal, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(Urgency.Interactive, session => AddAsync(database, session, project, proposal, at, ct), ct);

    /// <summary>Stores a proposal inside the transaction of what brought it about.</summary>
    internal static async Task<Proposal> AddAsync(
        Database database, Session session, ProjectId project, NewProposal it, DateTimeOffset at, CancellationToken ct)
    {
        var added = (await session.FirstAsync(
            $"""
            INSERT INTO proposal (project_id, kind, action, subject, summary, base, change, evidence, author, created_at)
            VALUES (@project, @kind, @action, @subject, @summary, @base, @change, @evidence, @author, @at)
            RETURNING {Columns}
            """,
            Read, ct, ("project", project.Value), ("kind", Wire.Name(it.Kind)), ("action", Wire.Name(it.Action)), ("subject", it.Subject),
            ("summary", it.Summary), ("base", it.Base), ("change", it.Change), ("evidence", it.Evidence), ("author", it.Author), ("at", at))
            .ConfigureAwait(false))!;
        await AuditAsync(database, session, added, at, it.Author, "proposal.add", null, ct).ConfigureAwait(false);
        return added;
    }

    public async Task<IReadOnlyList<Proposal>> ListAsync(ProjectId project, ProposalFilter filter, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {Columns}
            FROM proposal
            WHERE project_id = @project AND action <> 'move'
                AND (CAST(@kind AS TEXT) IS NULL OR kind = @kind)
                AND (CAST(@subject AS TEXT) IS NULL OR subject = @subject)
                AND (CAST(@state AS TEXT) IS NULL OR state = @state)
            ORDER BY id DESC
            LIMIT @limit
            """,
            Read, ct, ("project", project.Value), ("kind", filter.Kind is { } kind ? Wire.Name(kind) : null), ("subject", filter.Subject),
            ("state", filter.State is { } state ? Wire.Name(state) : null), ("limit", filter.Limit)).ConfigureAwait(false);

    public Task<Proposal?> FindAsync(ProjectId project, long id, CancellationToken ct) =>
        database.ReadAsync(session => FindAsync(session, project, id, ct), ct);

    public async Task<ProposalDecision> ApproveAsync(
        ProjectId project, long id, string person, string? reason, DateTimeOffset at, CancellationToken ct)
    {
        var decision = await DecideAsync(project, id, ProposalState.Approved, person, reason, at, ct).ConfigureAwait(false);
        if (decision == ProposalDecision.Done)
            metrics.Changed();
        return decision;
    }

    public Task<ProposalDecision> RejectAsync(
        ProjectId project, long id, string person, string? reason, DateTimeOffset at, CancellationToken ct) =>
        DecideAsync(project, id, ProposalState.Rejected, person, reason, at, ct);

    Task<ProposalDecision> DecideAsync(
        ProjectId project, long id, ProposalState state, string person, string? reason, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                // Decisions of a project come one after the other.
                if (database.LockAudit is { } wait)
                    await session.NumberAsync(wait, ct, ("project", project.Value)).ConfigureAwait(false);
                if (await FindAsync(session, project, id, ct).ConfigureAwait(false) is not { } found)
                    return ProposalDecision.Unknown;
                if (found.State != ProposalState.Proposed)
                    return ProposalDecision.Already;
                if (state == ProposalState.Approved)
                {
                    if ((found.Kind, found.Action) != (ProposalKind.Metric, ProposalAction.Change))
                        return ProposalDecision.Unsupported;
                    if (!await ChangeMetricAsync(session, found, person, at, ct).ConfigureAwait(false))
                        return ProposalDecision.Stale;
                }
                await session.ExecuteAsync(
                    """
                    UPDATE proposal SET state = @state, decided_by = @person, decided_at = @at, reason = @reason
                    WHERE project_id = @project AND id = @id
                    """,
                    ct, ("state", Wire.Name(state)), ("person", person), ("at", at), ("reason", reason), ("project", project.Value),
                    ("id", id))
                    .ConfigureAwait(false);
                await AuditAsync(
                    database, session, found, at, person, state == ProposalState.Approved ? "proposal.approve" : "proposal.reject",
                    reason, ct)
                    .ConfigureAwait(false);
                return ProposalDecision.Done;
            },
            ct);

    /// <returns>False when the metric is no longer what the proposal starts from.</returns>
    async Task<bool> ChangeMetricAsync(Session session, Proposal proposal, string person, DateTimeOffset at, CancellationToken ct)
    {
        // The update makes whoever changes the metric wait.
        var id = await session.NumberAsync(
            "UPDATE metric SET state = state WHERE project_id = @project AND name = @name RETURNING id",
            ct, ("project", proposal.Project.Value), ("name", proposal.Subject)).ConfigureAwait(false);
        var now = id is null ? null : await session.FirstAsync(
            $"""
            SELECT {MetricRow.Columns}
            FROM metric
            JOIN metric_version AS version ON version.id = metric.current_version_id
            WHERE metric.project_id = @project AND metric.id = @id
            """,
            MetricRow.Read, ct, ("project", proposal.Project.Value), ("id", id)).ConfigureAwait(false);
        var from = ProposalJson.Read<MetricBase>(proposal.Base);
        if (now is null || now.VersionId.Value != from.MetricVersion
            || !(await GuidelineStore.ApprovedIdsAsync(session, proposal.Project, now.Id, ct).ConfigureAwait(false))
            .SequenceEqual(from.Guidelines))
            return false;
        var change = ProposalJson.Read<MetricChange>(proposal.Change);
        if (change.Validator is { } validator)
            await metrics.AddAsync(
                session, proposal.Project,
                new NewMetric(
                    now.Name, now.Criterion, now.Subject, now.Nodes, now.Kinds, now.Sampling, validator, person, now.Role, now.State,
                    now.OnFail,
                    now.OnError, now.Segments, now.LabelsPerItem),
                expectNew: false, at, ct).ConfigureAwait(false);
        foreach (var rule in change.Guidelines)
            await GuidelineStore.AddApprovedAsync(
                database, session,
                new(Guid.CreateVersion7(at), proposal.Project, now.Id, rule.Text, rule.Labels, Core.Judging.GuidelineState.Approved,
                    proposal.Author,
                    proposal.CreatedAt, person, at),
                ct).ConfigureAwait(false);
        return true;
    }

    static Task<Proposal?> FindAsync(Session session, ProjectId project, long id, CancellationToken ct) =>
        session.FirstAsync($"SELECT {Columns} FROM proposal WHERE project_id = @project AND id = @id AND action <> 'move'", Read, ct,
            ("project", project.Value), ("id", id));

    static Task AuditAsync(
        Database database, Session session, Proposal it, DateTimeOffset at, string who, string action, string? reason,
        CancellationToken ct) =>
        AuditStore.AppendAsync(
            database, session, it.Project, at, who, action, it.Id.ToString(CultureInfo.InvariantCulture),
            // Of the change only a hash: its rules may quote a user, and the audit is never erased.
            JsonSerializer.Serialize(new
            {
                kind = Wire.Name(it.Kind), action = Wire.Name(it.Action), subject = it.Subject, reason,
                change_sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(it.Change))),
            }), ct);

    static Proposal Read(DbDataReader row) => new(
        row.GetInt64(0), new(row.GetInt64(1)), row.Word<ProposalKind>(2), row.Word<ProposalAction>(3), row.GetString(4), row.GetString(5),
        row.GetString(6), row.GetString(7), row.GetString(8), row.Word<ProposalState>(9), row.GetString(10), row.Moment(11),
        row.TextOrNull(12),
        row.MomentOrNull(13), row.TextOrNull(14));
}
