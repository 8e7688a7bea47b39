using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Metrics.Detection;
using Flywheel.Engine.Metrics.Sql;
using Flywheel.Engine.Models;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Review;

namespace Flywheel.Engine.Loop;

/// <summary>How the engine runs inside an application; every default works.</summary>
public sealed record EmbeddedOptions
{
    /// <summary>Models of judges, and the embedder; null are the offline ones. They stay the caller's.</summary>
    public ModelRegistry? Models { get; init; }

    /// <summary>False leaves validating, embedding and planning to another process on the same database.</summary>
    public bool Work { get; init; } = true;

    /// <summary>Kinds of validators of the application's own, beside the built-in ones.</summary>
    public IReadOnlyList<IValidatorKind> Validators { get; init; } = [];

    /// <summary>Told of work that failed and is tried again; must be quick and must not throw.</summary>
    public Action<string, Exception> OnFault { get; init; } = static (_, _) => { };

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>The whole loop inside the application's own process: its own database, its workers, no server.</summary>
/// <remarks>
/// Works on the default project. A <c>flywheel serve</c> on the same database may run beside it, for people to review; the two share
/// the work. Validators that run programs in the sandbox need that server.
/// </remarks>
public sealed class EmbeddedEngine : ILoop, IAsyncDisposable
{
    readonly EmbeddedLoop _loop;
    readonly CancellationTokenSource _stop = new();
    readonly ModelRegistry? _ownModels;
    readonly Task _work;
    int _isDisposed;

    EmbeddedEngine(IFlywheelStore store, EmbeddedOptions options)
    {
        Store = store;
        var clock = options.Clock;
        var models = options.Models ?? (_ownModels = new ModelRegistry(ModelOptions.Read([])));
        var embedder = models.Embedder();
        var faults = new ModelFaults(clock);
        var signal = new WorkSignal();
        var retriever = new DemonstrationRetriever(store.Demonstrations, embedder, clock);
        var judges = new JudgeServices(
            name => models.Chat(name), new RetrievedJudgeExamples(retriever, store.Demonstrations),
            (model, usage) => models.ChatNames.Where(name => models.ModelId(name) == model).Select(models.Price).FirstOrDefault(ModelPrice.Free).CostUsd(usage))
        {
            Structured = models.Structured,
            Ledger = store.JudgeCalls,
            Guidelines = new StoredGuidelines(store.Guidelines, clock),
            Calibrations = new StoredCalibrations(store, clock),
            MayHaveCost = error => faults.Classify(error).MayHaveCost,
            Clock = clock,
        };
        Validators = ValidatorRegistry.BuiltIn(
            new TokenCounter(), new StoredExpressions(store), judges, options.Validators,
            detectors: new DetectionServices(models.Embedder, clock, References: new StoredReferences(store.References, store.Spans, clock)));
        var guards = new ActiveGuards(store.Metrics, clock);
        store.Spans.Filter = new SpanRedaction(guards, Validators);
        _loop = new EmbeddedLoop(
            store, retriever, new NodePolicies(store.NodePolicies), new InputGuard(guards, Validators, faults, clock, store.Jobs), ProjectId.Default, clock, signal);

        var watch = new JudgeWatch(store, Validators, clock);
        var reader = new ForecastReader(store);
        var workers = new LoopWorkers(
            new MetricWorker(
                new WorkerStores(store.Jobs, store.Metrics, store.Spans), Validators, faults,
                new WorkerOptions { WantedConcurrency = () => models.WantedConcurrency }, signal, clock, new Random(), options.OnFault, watch),
            new DemonstrationEmbedding(store.Demonstrations, embedder, clock), new ReviewPlanner(store, retriever, clock),
            new LabelPlanner(store, Validators, reader, clock), new FixingPlanner(store, Validators, reader, clock),
            new BackfillWorker(store.Backfills, Validators, signal, clock), watch, new JudgeCalibrator(store, Validators, clock), store, clock);
        _work = options.Work ? Task.Run(() => workers.RunAsync(options.OnFault, _stop.Token)) : Task.CompletedTask;
    }

    /// <summary>The database, for what people and the application say: labels, corrections, approvals, metrics.</summary>
    public IFlywheelStore Store { get; }

    /// <summary>The kinds of validators that metrics of this engine may have.</summary>
    public ValidatorRegistry Validators { get; }

    /// <summary>Brings the database up to date and starts the workers. The store is disposed with the engine.</summary>
    public static async Task<EmbeddedEngine> StartAsync(IFlywheelStore store, EmbeddedOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        await store.MigrateAsync(ct);
        return new EmbeddedEngine(store, options ?? new());
    }

    public Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct) => _loop.DemonstrateAsync(query, ct);

    public Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct) => _loop.GuardAsync(query, ct);

    public Task RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct) => _loop.RecordAsync(spans, ct);

    /// <summary>Ends the workers and closes the database. What they were at is taken up again by the next start. Dispose the connection first.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
            return;
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Store.DisposeAsync();
        _ownModels?.Dispose();
        _stop.Dispose();
    }
}
