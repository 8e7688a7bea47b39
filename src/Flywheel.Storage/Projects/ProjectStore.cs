using System.Data.Common;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Storage.Projects;

internal sealed class ProjectStore(Database database) : IProjectStore
{
    const string Columns =
        "id, name, judge_calls_per_day, judge_usd_per_day, audit_rate, created_at, blind_share, canary_rate, anchor_hours";
    const string KeyColumns = "id, project_id, name, prefix, scope, created_at, expires_at, revoked_at";

    readonly ShortLivedCache<string, ApiKey?> keys = new(database);

    public Task<Project?> FindAsync(string name, CancellationToken ct) =>
        database.FirstAsync($"SELECT {Columns} FROM project WHERE name = @name", Read, ct, ("name", name));

    public Task<Project?> GetAsync(ProjectId id, CancellationToken ct) =>
        database.FirstAsync($"SELECT {Columns} FROM project WHERE id = @id", Read, ct, ("id", id.Value));

    public async Task<IReadOnlyList<Project>> ListAsync(CancellationToken ct) =>
        await database.QueryAsync($"SELECT {Columns} FROM project ORDER BY name", Read, ct).ConfigureAwait(false);

    public Task<Project> EnsureAsync(string name, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await session.ExecuteAsync(
                    "INSERT INTO project (name, created_at) VALUES (@name, @at) ON CONFLICT (name) DO NOTHING",
                    ct, ("name", name), ("at", at)).ConfigureAwait(false);
                return (await session.FirstAsync(
                    $"SELECT {Columns} FROM project WHERE name = @name", Read, ct, ("name", name)).ConfigureAwait(false))!;
            },
            ct);

    public Task SetLimitsAsync(ProjectId id, int? judgeCallsPerDay, double? judgeUsdPerDay, double auditRate, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(judgeCallsPerDay ?? 0, nameof(judgeCallsPerDay));
        if (judgeUsdPerDay is { } usd && !(double.IsFinite(usd) && usd >= 0))
            throw new ArgumentOutOfRangeException(nameof(judgeUsdPerDay), usd, "must be finite and not negative");
        if (!(auditRate is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(auditRate), auditRate, "must lie in [0, 1]");
        return database.WriteAsync(
            Urgency.Interactive,
            session => session.ExecuteAsync(
                """
                UPDATE project
                SET judge_calls_per_day = @calls, judge_usd_per_day = @usd, audit_rate = @rate
                WHERE id = @id
                """,
                ct, ("calls", judgeCallsPerDay), ("usd", judgeUsdPerDay), ("rate", auditRate), ("id", id.Value)),
            ct);
    }

    public Task SetJudgingAsync(ProjectId id, double blindShare, double canaryRate, CancellationToken ct)
    {
        if (!(blindShare is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(blindShare), blindShare, "must lie in [0, 1]");
        if (!(canaryRate is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(canaryRate), canaryRate, "must lie in [0, 1]");
        return database.WriteAsync(
            Urgency.Interactive,
            session => session.ExecuteAsync(
                "UPDATE project SET blind_share = @blind, canary_rate = @canary WHERE id = @id",
                ct, ("blind", blindShare), ("canary", canaryRate), ("id", id.Value)),
            ct);
    }

    public Task SetAnchorHoursAsync(ProjectId id, int hours, CancellationToken ct)
    {
        if (hours is < 0 or > 8_760)
            throw new ArgumentOutOfRangeException(nameof(hours), hours, "must lie in [0, 8760]");
        return database.WriteAsync(
            Urgency.Interactive,
            session => session.ExecuteAsync(
                "UPDATE project SET anchor_hours = @hours WHERE id = @id", ct, ("hours", hours), ("id", id.Value)), ct);
    }

    public Task AddKeyAsync(ApiKey key, string secretHash, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            session => session.ExecuteAsync(
                """
                INSERT INTO api_key (project_id, id, name, prefix, secret_hash, scope, created_at, expires_at, revoked_at)
                VALUES (@project, @id, @name, @prefix, @hash, @scope, @created, @expires, @revoked)
                """,
                ct,
                ("project", key.Project.Value), ("id", key.Id), ("name", key.Name), ("prefix", key.Prefix), ("hash", secretHash),
                ("scope", Wire.Name(key.Scope)), ("created", key.CreatedAt), ("expires", key.ExpiresAt), ("revoked", key.RevokedAt)),
            ct);

    public ValueTask<ApiKey?> FindKeyAsync(string secretHash, CancellationToken ct) => keys.GetAsync(
        secretHash,
        (hash, ct) => database.FirstAsync($"SELECT {KeyColumns} FROM api_key WHERE secret_hash = @hash", ReadKey, ct, ("hash", hash)),
        ct);

    public async Task<IReadOnlyList<ApiKey>> ListKeysAsync(ProjectId project, CancellationToken ct) =>
        await database.QueryAsync(
            $"SELECT {KeyColumns} FROM api_key WHERE project_id = @project ORDER BY created_at, id",
            ReadKey, ct, ("project", project.Value)).ConfigureAwait(false);

    public async Task<bool> RevokeKeyAsync(ProjectId project, Guid id, DateTimeOffset at, CancellationToken ct) =>
        await database.WriteAsync(
            Urgency.Interactive,
            session => session.ExecuteAsync(
                """
                UPDATE api_key
                SET revoked_at = coalesce(revoked_at, @at)
                WHERE project_id = @project AND id = @id
                """,
                ct, ("at", at), ("project", project.Value), ("id", id)),
            ct).ConfigureAwait(false) > 0;

    static Project Read(DbDataReader row) => new(
        new(row.GetInt64(0)), row.GetString(1), row.IntOrNull(2), row.DoubleOrNull(3), row.GetDouble(4), row.Moment(5))
    {
        BlindShare = row.GetDouble(6), CanaryRate = row.GetDouble(7), AnchorHours = row.GetInt32(8),
    };

    static ApiKey ReadKey(DbDataReader row) => new(
        row.Id(0), new(row.GetInt64(1)), row.GetString(2), row.GetString(3), row.Word<KeyScope>(4),
        row.Moment(5), row.MomentOrNull(6), row.MomentOrNull(7));
}
