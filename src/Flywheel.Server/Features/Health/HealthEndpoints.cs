using Flywheel.Core.Jobs;
using Flywheel.Engine.Health;
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

    static async Task<IResult> ReadyAsync(ServerOptions options, ReadinessService readiness, ILogger<Readiness> log, CancellationToken ct)
    {
        var report = await readiness.CheckAsync(options.Work, ct);
        if (report.Fault is { } fault)
            log.LogWarning(fault, "The readiness check could not read the database");
        var isReady = report.Problems.Count == 0;
        var ready = new Readiness(isReady ? "ready" : "not-ready", report.Problems, report.Jobs);
        return isReady ? TypedResults.Ok(ready) : TypedResults.Json(ready, statusCode: 503);
    }
}
