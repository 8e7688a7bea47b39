using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Flywheel.Client.Hosting;

/// <summary>A connection that was asked for.</summary>
sealed record HostedConnection(string? Key)
{
    /// <summary>The name of its options.</summary>
    public string Name => Key ?? "";
}

/// <summary>Makes the connections when the host starts: bad settings stop it, and what the outbox holds from last time is sent.</summary>
sealed class ConnectionAtStart(IServiceProvider services, IEnumerable<HostedConnection> connections) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var connection in connections)
            services.GetRequiredKeyedService<FlywheelConnection>(connection.Key);
        return Task.CompletedTask;
    }

    // The container disposes them after everything that might still record.
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
