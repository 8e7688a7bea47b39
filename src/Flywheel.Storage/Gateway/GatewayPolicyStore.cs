using System.Data.Common;
using Flywheel.Core.Gateway;
using Flywheel.Core.Projects;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Gateway;

internal sealed class GatewayPolicyStore(Database database) : IGatewayPolicyStore
{
    const string Columns = "project_id, node, settings, author, updated_at";

    public Task<GatewayPolicy?> FindAsync(ProjectId project, string node, CancellationToken ct) =>
        database.FirstAsync(
            $"SELECT {Columns} FROM gateway_policy WHERE project_id = @project AND node = @node",
            Read, ct, ("project", project.Value), ("node", node));

    public async Task<IReadOnlyList<GatewayPolicy>> ListAsync(ProjectId project, CancellationToken ct) =>
        await database.QueryAsync(
            $"SELECT {Columns} FROM gateway_policy WHERE project_id = @project ORDER BY node", Read, ct, ("project", project.Value))
            .ConfigureAwait(false);

    public Task SetAsync(GatewayPolicy policy, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await session.ExecuteAsync(
                    """
                    INSERT INTO gateway_policy (project_id, node, settings, author, updated_at)
                    VALUES (@project, @node, @settings, @author, @at)
                    ON CONFLICT (project_id, node) DO UPDATE
                    SET settings = excluded.settings, author = excluded.author, updated_at = excluded.updated_at
                    """,
                    ct, ("project", policy.Project.Value), ("node", policy.Node), ("settings", policy.Settings), ("author", policy.Author),
                    ("at", policy.UpdatedAt)).ConfigureAwait(false);
                await AuditStore.AppendAsync(
                    database, session, policy.Project, policy.UpdatedAt, policy.Author, "gateway.policy", policy.Node, policy.Settings, ct)
                    .ConfigureAwait(false);
                return true;
            },
            ct);

    static GatewayPolicy Read(DbDataReader row) =>
        new(new(row.GetInt64(0)), row.GetString(1), row.GetString(2), row.GetString(3), row.Moment(4));
}
