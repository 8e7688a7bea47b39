using Flywheel.Storage.Projects;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Storage.Datasets;

namespace Flywheel.Storage.Erasures;

internal sealed class ErasureStore(Database database) : IErasureStore
{
    sealed record Gone(long Id, string Trace, string? Session);

    public Task<bool> CompactAsync(CancellationToken ct) => database.CompactAsync(ct);

    public Task<Erasure> EraseAsync(ProjectId project, string endUser, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var sqlite = database.Kind == DatabaseKind.Sqlite;
                // What is deleted here is overwritten with zeros in its pages.
                if (sqlite)
                    await session.NumberAsync("PRAGMA secure_delete = ON", ct).ConfigureAwait(false);
                try
                {
                    return await EraseAsync(session, project, endUser, author, at, ct).ConfigureAwait(false);
                }
                finally
                {
                    if (sqlite)
                        await session.NumberAsync("PRAGMA secure_delete = OFF", CancellationToken.None).ConfigureAwait(false);
                }
            },
            ct);

    async Task<Erasure> EraseAsync(
        Session session, ProjectId project, string endUser, string author, DateTimeOffset at, CancellationToken ct)
    {
        var own = ("project", (object?)project.Value);
        var gone = await session.QueryAsync(
            $"""
            SELECT id, trace_id, session
            FROM span
            WHERE project_id = @project AND (end_user = @user OR (end_user IS NULL AND (
                trace_id IN (SELECT trace_id FROM span WHERE project_id = @project AND end_user = @user)
                OR session IN (SELECT session FROM span WHERE project_id = @project AND end_user = @user AND session IS NOT NULL))))
            ORDER BY id{(database.Kind == DatabaseKind.Postgres ? " FOR UPDATE" : "")}
            """,
            row => new Gone(row.GetInt64(0), row.GetString(1), row.TextOrNull(2)), ct, own, ("user", endUser)).ConfigureAwait(false);
        var spans = gone.Select(each => each.Id).ToArray();
        var traces = gone.Select(each => each.Trace).Distinct().ToArray();
        var sessions = gone.Select(each => each.Session).OfType<string>().Distinct().ToArray();

        var labels = (await session.QueryAsync(
            "SELECT id FROM label WHERE project_id = @project AND span_id IN (@spans)", row => row.GetString(0), ct, own, ("spans", spans))
            .ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
        var guidelines = await GuidelinesAsync(session, project, labels, ct).ConfigureAwait(false);
        var proposals = await LeaveProposalsAsync(session, project, labels, ct).ConfigureAwait(false);
        var shown = await session.QueryAsync(
            "SELECT id, input, output FROM demonstration WHERE project_id = @project AND (end_user = @user OR span_id IN (@spans))",
            row => (Id: row.GetString(0), Input: row.GetString(1), Output: row.GetString(2)), ct, own, ("user", endUser), ("spans", spans))
            .ConfigureAwait(false);
        var scrubbed = await ScrubAsync(session, project, spans, shown, ct).ConfigureAwait(false);
        var references = await LeaveReferencesAsync(session, project, spans, ct).ConfigureAwait(false);
        var feedback = await session.ExecuteAsync(
            """
            DELETE FROM feedback
            WHERE project_id = @project
                AND (end_user = @user OR (end_user IS NULL AND (trace_id IN (@traces) OR session IN (@sessions))))
            """,
            ct, own, ("user", endUser), ("traces", traces), ("sessions", sessions)).ConfigureAwait(false);
        await session.ExecuteAsync(
            "DELETE FROM demonstration WHERE project_id = @project AND id IN (@ids)",
            ct, own, ("ids", shown.Select(each => each.Id).ToArray())).ConfigureAwait(false);
        await session.ExecuteAsync("DELETE FROM span WHERE project_id = @project AND id IN (@spans)", ct, own, ("spans", spans))
            .ConfigureAwait(false);
        // Those of the deleted spans went with them: these wait for spans that have not come.
        var texts = await session.ExecuteAsync(
            """
            DELETE FROM span_text
            WHERE project_id = @project AND trace_id IN (@traces) AND NOT EXISTS (
                SELECT 1 FROM span
                WHERE span.project_id = span_text.project_id AND span.trace_id = span_text.trace_id AND span.span_id = span_text.span_id)
            """,
            ct, own, ("traces", traces)).ConfigureAwait(false);
        texts += await session.ExecuteAsync(
            """
            DELETE FROM span_evaluation
            WHERE project_id = @project AND trace_id IN (@traces) AND NOT EXISTS (
                SELECT 1 FROM span
                WHERE span.project_id = span_evaluation.project_id AND span.trace_id = span_evaluation.trace_id AND span.span_id = span_evaluation.span_id)
            """,
            ct, own, ("traces", traces)).ConfigureAwait(false);
        await session.ExecuteAsync(
            "DELETE FROM guideline WHERE project_id = @project AND id IN (@ids)", ct, own, ("ids", guidelines)).ConfigureAwait(false);

        var items = await DatasetStore.EraseAsync(session, project, endUser, traces, ct).ConfigureAwait(false);

        var erasure = new Erasure(spans.Length, shown.Count, scrubbed, feedback, guidelines.Length, texts, references, items);
        await AuditStore.AppendAsync(
            database, session, project, at, author, "end_user.erase",
            "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(endUser))),
            JsonSerializer.Serialize(new
            {
                spans = erasure.Spans, demonstrations = erasure.Demonstrations, scrubbed, feedback, guidelines = erasure.Guidelines, texts,
                references,
                dataset_items = items, proposals,
            }),
            ct).ConfigureAwait(false);
        return erasure;
    }

    static async Task<string[]> GuidelinesAsync(Session session, ProjectId project, HashSet<string> labels, CancellationToken ct)
    {
        if (labels.Count == 0)
            return [];
        var all = await session.QueryAsync(
            "SELECT id, labels FROM guideline WHERE project_id = @project AND labels IS NOT NULL",
            row => (Id: row.GetString(0), Labels: row.Ids(1)), ct, ("project", project.Value)).ConfigureAwait(false);
        return [.. all.Where(each => each.Labels.Any(label => labels.Contains(label.ToString("D")))).Select(each => each.Id)];
    }

    /// <summary>Rules that were distilled from the person's labels may quote them: what proposes them goes.</summary>
    static async Task<int> LeaveProposalsAsync(Session session, ProjectId project, HashSet<string> labels, CancellationToken ct)
    {
        if (labels.Count == 0)
            return 0;
        var own = ("project", (object?)project.Value);
        var gone = 0;
        foreach (var (select, delete) in ((string, string)[])
        [
            ("SELECT id, change || evidence FROM proposal WHERE project_id = @project",
                "DELETE FROM proposal WHERE project_id = @project AND id IN (@ids)"),
            ("SELECT id, plan || coalesce(result, '') FROM alignment_run WHERE project_id = @project",
                "DELETE FROM alignment_run WHERE project_id = @project AND id IN (@ids)"),
        ])
        {
            var naming = (await session.QueryAsync(select, row => (Id: row.GetInt64(0), Text: row.GetString(1)), ct, own)
                .ConfigureAwait(false))
                .Where(row => labels.Any(label => row.Text.Contains(label, StringComparison.Ordinal))).Select(row => row.Id).ToArray();
            gone += await session.ExecuteAsync(delete, ct, own, ("ids", naming)).ConfigureAwait(false);
        }
        return gone;
    }

    /// <summary>Takes demonstrations out of the prompts that other users' spans recorded.</summary>
    async Task<int> ScrubAsync(
        Session session, ProjectId project, long[] spans, List<(string Id, string Input, string Output)> shown, CancellationToken ct)
    {
        if (shown.Count == 0)
            return 0;
        var those = new HashSet<long>(spans);
        var named = database.Kind == DatabaseKind.Postgres
            ? "EXISTS (SELECT 1 FROM json_array_elements_text(span.demonstrations::json) AS one (value) WHERE one.value IN (@ids))"
            : "EXISTS (SELECT 1 FROM json_each(span.demonstrations) AS one WHERE one.value IN (@ids))";
        var found = await session.QueryAsync(
            $"""
            SELECT id, attributes
            FROM span
            WHERE project_id = @project AND demonstrations IS NOT NULL AND attributes IS NOT NULL AND {named}
            ORDER BY id{(database.Kind == DatabaseKind.Postgres ? " FOR UPDATE" : "")}
            """,
            row => (Id: row.GetInt64(0), Attributes: row.GetString(1)), ct,
            ("project", project.Value), ("ids", shown.Select(each => each.Id).ToArray())).ConfigureAwait(false);
        var scrubbed = 0;
        foreach (var (id, attributes) in found)
        {
            if (those.Contains(id) || RecordedPrompt.Without(attributes, shown) is not { } clean)
                continue;
            await session.ExecuteAsync(
                "UPDATE span SET attributes = @attributes WHERE project_id = @project AND id = @id",
                ct, ("attributes", clean), ("project", project.Value), ("id", id)).ConfigureAwait(false);
            scrubbed++;
        }
        return scrubbed;
    }

    static async Task<int> LeaveReferencesAsync(Session session, ProjectId project, long[] spans, CancellationToken ct)
    {
        var sets = await session.QueryAsync(
            "SELECT metric_id, number, spans FROM reference_set WHERE project_id = @project",
            row => (Metric: row.GetInt64(0), Number: row.GetInt64(1),
                Spans: JsonSerializer.Deserialize<long[]>(row.GetString(2)) ?? []), ct,
            ("project", project.Value)).ConfigureAwait(false);
        var those = new HashSet<long>(spans);
        var changed = 0;
        foreach (var (metric, number, named) in sets.Where(set => set.Spans.Any(those.Contains)))
            changed += await session.ExecuteAsync(
                "UPDATE reference_set SET spans = @spans WHERE project_id = @project AND metric_id = @metric AND number = @number",
                ct, ("spans", JsonSerializer.Serialize(named.Where(id => !those.Contains(id)))), ("project", project.Value),
                ("metric", metric),
                ("number", number)).ConfigureAwait(false);
        return changed;
    }
}
