using System.CommandLine;
using Flywheel.Core;
using Flywheel.Server.Hosting;
using Flywheel.Storage;

namespace Flywheel.Server.Cli;

/// <summary>Checks everything that can be checked from here, and says what to do about what is wrong.</summary>
static class DoctorCommand
{
    sealed record Check(string Name, bool Ok, string Detail);

    public static Command Create()
    {
        var db = CommonOptions.Db();
        var json = CommonOptions.Json();
        var command = new Command("doctor", "Check settings, database, counts, audit chain, models and work") { db, json };
        command.SetAction(async (parsed, ct) =>
        {
            var checks = await RunAsync(parsed.GetValue(db), ct);
            var healthy = checks.All(check => check.Ok);
            if (parsed.GetValue(json))
                Output.Json(new { healthy, checks });
            else
                foreach (var check in checks)
                    Console.WriteLine($"{(check.Ok ? "ok  " : "BAD ")} {check.Name,-12} {check.Detail}");
            return healthy ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    static async Task<List<Check>> RunAsync(string? db, CancellationToken ct)
    {
        var checks = new List<Check>();
        ServerOptions options;
        try
        {
            options = Settings.Server();
            checks.Add(new("settings", true, File.Exists(Settings.File) ? $"{Settings.File} and environment" : "defaults and environment"));
        }
        catch (FlywheelException e)
        {
            checks.Add(new("settings", false, e.Message));
            return checks;
        }
        try
        {
            using var models = EngineServices.OpenModels(Settings.Load());
            checks.Add(new("embedder", true, models.Embedder().Fingerprint));
        }
        catch (Exception e) when (e is FlywheelException or IOException)
        {
            checks.Add(new("embedder", false, e.Message));
        }
        try
        {
            CommonOptions.MustExist(db ?? options.Db);
            await using var store = await FlywheelStore.OpenAsync(db ?? options.Db, null, ct);
            var applied = await store.MigrateAsync(ct);
            checks.Add(new("database", true, store.Description + (applied.Count == 0 ? "" : $", applied {string.Join(", ", applied)}")));
            var damage = await store.FindDamageAsync(ct);
            checks.Add(new("file", damage is null, damage is null ? "no damage found" : $"{damage}; restore a backup"));
            var now = TimeProvider.System.GetUtcNow();
            var jobs = await store.Jobs.CountsAsync(now, ct);
            checks.Add(new("work", jobs.Dead == 0,
                $"{jobs.PendingSpans:N0} spans to pair, {jobs.Waiting:N0} jobs waiting, {jobs.Leased:N0} leased, {jobs.Dead:N0} dead"
                + (jobs.Dead == 0 ? "" : ": see GET /api/v1/jobs?state=dead, and retry them when the cause is gone")));
            foreach (var project in await store.Projects.ListAsync(ct))
            {
                var broken = await store.Audit.VerifyAsync(project.Id, ct);
                checks.Add(new("audit", broken is null, broken is null
                    ? $"{project.Name}: the chain is whole"
                    : $"{project.Name}: entry {broken} was changed after it was written; restore a backup and compare"));
                var off = 0;
                foreach (var metric in await store.Metrics.ListAsync(project.Id, ct))
                    if (!Same(await store.Metrics.CellsAsync(project.Id, metric.Id, ct),
                        await store.Metrics.RecomputedCellsAsync(project.Id, metric.Id, ct)))
                        off++;
                checks.Add(new("counts", off == 0, off == 0
                    ? $"{project.Name}: {await store.Spans.CountAsync(project.Id, ct):N0} spans, all counts equal their recomputation"
                    : $"{project.Name}: the counts of {off} metrics differ from their recomputation; please report this"));
            }
        }
        catch (FlywheelException e)
        {
            checks.Add(new("database", false, e.Message));
        }
        return checks;
    }

    static bool Same(IReadOnlyList<Core.Metrics.MetricCell> a, IReadOnlyList<Core.Metrics.MetricCell> b) =>
        a.Count == b.Count && a.ToHashSet().SetEquals(b);
}
