using Flywheel.Engine.Jobs;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Features.Observability;

/// <summary>Exports while the server runs, and measures the queue for it.</summary>
sealed class OtlpExportService(QueueMeasurement queue, ServerOptions options, TimeProvider clock, ILogger<OtlpExportService> log)
    : BackgroundService
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    /// <returns>The environment variables of this process by their names.</returns>
    static IConfiguration Variables() => new ConfigurationBuilder().AddEnvironmentVariables().Build();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var export = OtlpExport.Start(Variables(), options);
        var failing = false;
        while (export is not null && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                await queue.RunOnceAsync(stoppingToken);
                failing = false;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (!failing)
                    log.LogError(e, "The queue could not be measured; trying again");
                failing = true;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(Pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
