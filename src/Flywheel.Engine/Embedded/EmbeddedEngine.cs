using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Loop;
using Flywheel.Engine.Models;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Engine.Embedded;

/// <summary>The whole loop inside the application's own process: its own database, its workers, no server.</summary>
/// <remarks>
/// Works on the default project. A <c>flywheel serve</c> on the same database may run beside it, for people to review; the two share
/// the work. Validators that run programs in the sandbox need that server.
/// </remarks>
public sealed class EmbeddedEngine : ILoop, IAsyncDisposable
{
    readonly EmbeddedLoop _loop;
    readonly ServiceProvider _services;
    readonly CancellationTokenSource _stop = new();
    readonly Task _work;
    int _isDisposed;

    EmbeddedEngine(IFlywheelStore store, EmbeddedOptions options)
    {
        Store = store;
        var services = new ServiceCollection().AddSingleton(store).AddSingleton(options.Clock);
        // Models that the engine makes are disposed with it; the caller's stay the caller's.
        if (options.Models is { } models)
            services.AddSingleton(models);
        else
            services.AddSingleton(_ => new ModelRegistry(ModelOptions.Read([])));
        _services = services.AddEngine(
            new EngineOptions { Kinds = _ => options.Validators, OnFault = (_, what, fault) => options.OnFault(what, fault) })
            .BuildServiceProvider();
        Validators = _services.GetRequiredService<ValidatorRegistry>();
        _loop = _services.GetRequiredService<EmbeddedLoop>();
        var workers = _services.GetRequiredService<LoopWorkers>();
        _work = options.Work ? Task.Run(() => workers.RunAsync(options.OnFault, _stop.Token)) : Task.CompletedTask;
    }

    /// <summary>The database, for what people and the application say: labels, corrections, approvals, metrics.</summary>
    public IFlywheelStore Store { get; }

    /// <summary>The kinds of validators that metrics of this engine may have.</summary>
    public ValidatorRegistry Validators { get; }

    /// <summary>Brings the database up to date and starts the workers. The store is disposed with the engine.</summary>
    public static async Task<EmbeddedEngine> StartAsync(
        IFlywheelStore store, EmbeddedOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        await store.MigrateAsync(ct);
        return new EmbeddedEngine(store, options ?? new());
    }

    public Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct) =>
        _loop.DemonstrateAsync(query, ct);

    public Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct) => _loop.GuardAsync(query, ct);

    public Task RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct) => _loop.RecordAsync(spans, ct);

    /// <summary>
    /// Ends the workers and closes the database. What they were at is taken up again by the next start. Dispose the connection first.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
            return;
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _services.DisposeAsync();
        await Store.DisposeAsync();
        _stop.Dispose();
    }
}
