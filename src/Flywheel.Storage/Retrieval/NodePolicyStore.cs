using System.Data.Common;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Retrieval;

internal sealed class NodePolicyStore(Database database) : INodePolicyStore
{
    const string Columns = "project_id, node, retrieval, author, updated_at";

    public Task<NodePolicy?> FindAsync(ProjectId project, string node, CancellationToken ct) =>
        database.FirstAsync(
            $"SELECT {Columns} FROM node_policy WHERE project_id = @project AND node = @node",
            Read, ct, ("project", project.Value), ("node", node));

    public async Task<IReadOnlyList<NodePolicy>> ListAsync(ProjectId project, CancellationToken ct) =>
        await database.QueryAsync(
            $"SELECT {Columns} FROM node_policy WHERE project_id = @project ORDER BY node", Read, ct, ("project", project.Value))
            .ConfigureAwait(false);

    public Task SetAsync(NodePolicy policy, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await session.ExecuteAsync(
                    """
                    INSERT INTO node_policy (project_id, node, retrieval, author, updated_at)
                    VALUES (@project, @node, @retrieval, @author, @at)
                    ON CONFLICT (project_id, node) DO UPDATE
                    SET retrieval = excluded.retrieval, author = excluded.author, updated_at = excluded.updated_at
                    """,
                    ct, ("project", policy.Project.Value), ("node", policy.Node), ("retrieval", policy.Retrieval),
                    ("author", policy.Author),
                    ("at", policy.UpdatedAt)).ConfigureAwait(false);
                await AuditStore.AppendAsync(
                    database, session, policy.Project, policy.UpdatedAt, policy.Author, "node.policy", policy.Node, policy.Retrieval, ct)
                    .ConfigureAwait(false);
                return true;
            },
            ct);

    static NodePolicy Read(DbDataReader row) =>
        new(new(row.GetInt64(0)), row.GetString(1), row.GetString(2), row.GetString(3), row.Moment(4));
}
