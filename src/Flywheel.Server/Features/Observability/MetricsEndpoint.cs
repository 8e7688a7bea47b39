using Flywheel.Core.Projects;
using Flywheel.Engine.Jobs;
using Flywheel.Server.Api;

namespace Flywheel.Server.Features.Observability;

static class MetricsEndpoint
{
    const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static IServiceCollection AddObservability(this IServiceCollection services)
    {
        services.AddSingleton<PrometheusMetrics>();
        services.AddHostedService<OtlpExportService>();
        return services;
    }

    public static void MapObservability(this WebApplication app)
    {
        // Made at once: it counts from the start.
        app.Services.GetRequiredService<PrometheusMetrics>();
        app.MapGet("/metrics", ScrapeAsync).Needs(KeyScope.Read).WithTags("Health")
            .WithSummary("Figures of this process in the text format of Prometheus");
    }

    static async Task<IResult> ScrapeAsync(PrometheusMetrics metrics, QueueMeasurement queue, CancellationToken ct)
    {
        await queue.RunOnceAsync(ct);
        return TypedResults.Text(metrics.Write(), ContentType);
    }
}
