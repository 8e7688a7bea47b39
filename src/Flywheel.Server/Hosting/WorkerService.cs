using Flywheel.Engine.Loop;

namespace Flywheel.Server.Hosting;

/// <summary>Runs the loop's workers in the server's process.</summary>
sealed class WorkerService(ServerOptions options, LoopWorkers workers, ILogger<WorkerService> log) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => options.Work
        ? workers.RunAsync((what, fault) => log.LogError(fault, "Failed at {Work}; trying again", what), stoppingToken)
        : Task.CompletedTask;
}
