using Flywheel.Core.Jobs;

namespace Flywheel.Storage.Jobs;

internal sealed class PeriodicTaskStore(Database database) : IPeriodicTaskStore
{
    public async Task<bool> ClaimAsync(string task, string holder, DateTimeOffset now, DateTimeOffset until, CancellationToken ct) =>
        await database.WriteAsync(
            Urgency.Background,
            session => session.ExecuteAsync(
                """
                INSERT INTO periodic_task (name, holder, until)
                VALUES (@task, @holder, @until)
                ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                WHERE periodic_task.holder = excluded.holder OR periodic_task.until <= @now
                """,
                ct, ("task", task), ("holder", holder), ("until", until), ("now", now)),
            ct).ConfigureAwait(false) > 0;

    public Task ReleaseAsync(string task, string holder, CancellationToken ct) => database.WriteAsync(
        Urgency.Background,
        session => session.ExecuteAsync(
            "DELETE FROM periodic_task WHERE name = @task AND holder = @holder", ct, ("task", task), ("holder", holder)),
        ct);
}
