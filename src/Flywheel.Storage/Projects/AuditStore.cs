using System.Data.Common;
using System.Security.Cryptography;
using System.Text.Json;
using Flywheel.Core.Projects;

namespace Flywheel.Storage.Projects;

internal sealed class AuditStore(Database database) : IAuditStore
{
    /// <summary>The hash before the first entry.</summary>
    internal static readonly string Start = new('0', 64);

    const string Columns = "id, project_id, at, actor, action, subject, details, previous_hash, hash";
    const int VerifyPage = 1_000;

    public async Task<IReadOnlyList<AuditEntry>> ListAsync(ProjectId project, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"SELECT {Columns} FROM audit WHERE project_id = @project ORDER BY id DESC LIMIT @limit",
            Read, ct, ("project", project.Value), ("limit", limit)).ConfigureAwait(false);

    public Task<long?> VerifyAsync(ProjectId project, CancellationToken ct) =>
        database.ReadAsync(session => VerifyAsync(session, project, ct), ct);

    internal static async Task<long?> VerifyAsync(Session session, ProjectId project, CancellationToken ct)
    {
        long id = 0;
        var previous = Start;
        while (true)
        {
            var page = await session.QueryAsync(
                $"SELECT {Columns} FROM audit WHERE project_id = @project AND id > @after ORDER BY id LIMIT @limit",
                Read, ct, ("project", project.Value), ("after", id), ("limit", VerifyPage)).ConfigureAwait(false);
            foreach (var entry in page)
            {
                if (entry.Id != id + 1 || entry.PreviousHash != previous || entry.Hash != Hash(entry))
                    return entry.Id;
                (id, previous) = (entry.Id, entry.Hash);
            }
            if (page.Count < VerifyPage)
                return null;
        }
    }

    /// <summary>Appends an entry inside the transaction of the act itself.</summary>
    internal static async Task AppendAsync(
        Database database, Session session, ProjectId project, DateTimeOffset at, string actor, string action, string subject,
        string details, CancellationToken ct)
    {
        if (database.LockAudit is { } wait)
            await session.NumberAsync(wait, ct, ("project", project.Value)).ConfigureAwait(false);
        var last = await session.FirstAsync(
            $"SELECT {Columns} FROM audit WHERE project_id = @project ORDER BY id DESC LIMIT 1",
            Read, ct, ("project", project.Value)).ConfigureAwait(false);

        // Times are hashed as they are kept.
        var kept = Timestamps.At(Timestamps.Micros(at));
        var entry = new AuditEntry((last?.Id ?? 0) + 1, project, kept, actor, action, subject, details, last?.Hash ?? Start, "");
        await session.ExecuteAsync(
            """
            INSERT INTO audit (project_id, id, at, actor, action, subject, details, previous_hash, hash)
            VALUES (@project, @id, @at, @actor, @action, @subject, @details, @previous, @hash)
            """,
            ct,
            ("project", project.Value), ("id", entry.Id), ("at", kept), ("actor", actor), ("action", action), ("subject", subject),
            ("details", details), ("previous", entry.PreviousHash), ("hash", Hash(entry))).ConfigureAwait(false);
    }

    /// <summary>SHA-256 in hex over the previous hash and all fields as a JSON array: no two entries share that form.</summary>
    internal static string Hash(AuditEntry entry) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(
        new object[]
        {
            entry.PreviousHash, entry.Project.Value, entry.Id, Timestamps.Micros(entry.At), entry.Actor, entry.Action, entry.Subject,
            entry.Details,
        })));

    static AuditEntry Read(DbDataReader row) => new(
        row.GetInt64(0), new(row.GetInt64(1)), row.Moment(2), row.GetString(3), row.GetString(4), row.GetString(5), row.GetString(6),
        row.GetString(7), row.GetString(8));
}
