using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Engine.Jobs;
using Flywheel.Server.Api;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Features.Health;

/// <param name="Status"><c>ready</c> or <c>not-ready</c>.</param>
/// <param name="Problems">In words; empty when ready.</param>
public sealed record Readiness(string Status, IReadOnlyList<string> Problems, JobCounts? Jobs);

static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/healthz", () => TypedResults.Text("ok")).OpenToAll().WithTags("Health").WithSummary("The process answers");
        app.MapGet("/readyz", ReadyAsync).OpenToAll().WithTags("Health").WithSummary("The database answers and work progresses");
    }

    static async Task<IResult> ReadyAsync(
        IFlywheelStore store, ServerOptions options, WorkerHealth health, TimeProvider clock, ILogger<Readiness> log, CancellationToken ct)
    {
        var problems = new List<string>();
        JobCounts? jobs = null;
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
            deadline.CancelAfter(TimeSpan.FromSeconds(5));
            await store.PingAsync(deadline.Token);
            jobs = await store.Jobs.CountsAsync(clock.GetUtcNow(), deadline.Token);
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            log.LogWarning(e, "The readiness check could not read the database");
            problems.Add("The database does not answer; the server's log says why.");
        }
        if (jobs is not null && options.Work && health.Trouble(jobs) is { } trouble)
            problems.Add(char.ToUpperInvariant(trouble[0]) + trouble[1..] + ".");
        var ready = new Readiness(problems.Count == 0 ? "ready" : "not-ready", problems, jobs);
        return problems.Count == 0 ? TypedResults.Ok(ready) : TypedResults.Json(ready, statusCode: 503);
    }
}
