using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Loop;
using Flywheel.Engine.Judging.Aligning;
using Flywheel.Engine.Judging.Anchoring;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Metrics.Code;
using Flywheel.Engine.Metrics.Detection;
using Flywheel.Engine.Metrics.Evaluators;
using Flywheel.Engine.Metrics.Sql;
using Flywheel.Engine.Metrics.Webhooks;
using Flywheel.Engine.Models;
using Flywheel.Engine.Models.Onnx;
using Flywheel.Engine.Models.UseLite;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Review;
using Flywheel.Engine.Sandboxing;
using Flywheel.Server.Features.Metrics;
using Flywheel.Server.Features.Packs;
using Flywheel.Storage;

namespace Flywheel.Server.Hosting;

/// <summary>Wires the engine: models by the settings, validators with what they need, workers, retrieval.</summary>
static class EngineServices
{
    public static IServiceCollection AddFlywheelEngine(this IServiceCollection services, IConfiguration configuration)
    {
        // Made at once: a model that is configured and cannot be had stops the start.
        var models = OpenModels(configuration);
        models.Embedder();
        var evaluators = OperatorServices.Evaluators(configuration);
        var plugins = OperatorServices.Plugins(configuration);
        services.AddSingleton(_ => models);
        services.AddSingleton(provider => provider.GetRequiredService<ModelRegistry>().Embedder());
        services.AddSingleton(provider => provider.GetRequiredService<IFlywheelStore>().Demonstrations);
        services.AddSingleton(provider => provider.GetRequiredService<IFlywheelStore>().NodePolicies);
        services.AddSingleton<DemonstrationRetriever>();
        services.AddSingleton<DemonstrationEmbedding>();
        services.AddSingleton<NodePolicies>();
        services.AddSingleton<IJudgeExamples, RetrievedJudgeExamples>();
        services.AddSingleton<IJudgeGuidelines>(provider => new StoredGuidelines(
            provider.GetRequiredService<IFlywheelStore>().Guidelines, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(_ => CodeServices.OpenSandbox(configuration));
        services.AddSingleton(provider => new JudgeServices(name => models.Chat(name), provider.GetRequiredService<IJudgeExamples>(), (model, usage) => PriceOf(models, model).CostUsd(usage))
        {
            Structured = models.Structured,
            Ledger = provider.GetRequiredService<IFlywheelStore>().JudgeCalls,
            Guidelines = provider.GetRequiredService<IJudgeGuidelines>(),
            Calibrations = new StoredCalibrations(provider.GetRequiredService<IFlywheelStore>(), provider.GetRequiredService<TimeProvider>()),
            MayHaveCost = error => provider.GetRequiredService<IFaultClassifier>().Classify(error).MayHaveCost,
            Clock = provider.GetRequiredService<TimeProvider>(),
        });
        services.AddSingleton(provider => ValidatorRegistry.BuiltIn(
            new TokenCounter(), new StoredExpressions(provider.GetRequiredService<IFlywheelStore>()), provider.GetRequiredService<JudgeServices>(),
            CodeKinds.All(provider.GetRequiredService<Sandbox>(), CodeServices.OfServer(configuration, provider.GetRequiredService<ServerOptions>().Db))
                .Concat(EvaluatorKinds.All(evaluators, provider.GetRequiredService<JudgeServices>())).Concat(plugins),
            Webhooks(configuration, provider.GetRequiredService<TimeProvider>()),
            detectors: Detectors(provider, models), databases: provider.GetRequiredService<IApplicationDatabases>()));
        services.AddSingleton<IApplicationDatabases>(_ => OpenDatabases(configuration));
        services.AddSingleton<MetricRules>();
        services.AddSingleton(provider => provider.GetRequiredService<IFlywheelStore>().Backfills);
        services.AddSingleton<BackfillWorker>();
        services.AddSingleton(provider => new MetricPreview(
            provider.GetRequiredService<ValidatorRegistry>(), provider.GetRequiredService<IFlywheelStore>().Jobs, provider.GetRequiredService<IFaultClassifier>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new PackActivation(
            provider.GetRequiredService<IFlywheelStore>().Metrics, provider.GetRequiredService<ValidatorRegistry>(), provider.GetRequiredService<MetricRules>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new ActiveGuards(provider.GetRequiredService<IFlywheelStore>().Metrics, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<SpanRedaction>();
        services.AddSingleton(provider => new InputGuard(
            provider.GetRequiredService<ActiveGuards>(), provider.GetRequiredService<ValidatorRegistry>(), provider.GetRequiredService<IFaultClassifier>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<IFlywheelStore>().Jobs));
        services.AddSingleton<WorkSignal>();
        services.AddSingleton<IFaultClassifier, ModelFaults>();
        services.AddSingleton(provider => Worker(provider, provider.GetRequiredService<ServerOptions>()));
        services.AddSingleton(provider => provider.GetRequiredService<MetricWorker>().Health);
        services.AddSingleton<ReviewPlanner>();
        services.AddSingleton<ForecastReader>();
        services.AddSingleton<LabelPlanner>();
        services.AddSingleton<FixingPlanner>();
        services.AddSingleton<ReviewServing>();
        services.AddSingleton<ReviewQueue>();
        services.AddSingleton<MetricReviewing>();
        services.AddSingleton<JudgeWatch>();
        services.AddSingleton<LoopWorkers>();
        services.AddSingleton<JudgeCalibrator>();
        services.AddSingleton<GuidelineDistillation>();
        services.AddSingleton<AnchorReplays>();
        services.AddSingleton(provider => new PeriodicTask("replaying anchors", TimeSpan.FromSeconds(1), provider.GetRequiredService<AnchorReplays>().RunOnceAsync));
        services.AddSingleton(provider => new PeriodicTask("aligning judges", TimeSpan.FromSeconds(1), provider.GetRequiredService<JudgeAlignment>().RunOnceAsync));
        services.AddSingleton(provider => new JudgeAlignment(
            provider.GetRequiredService<IFlywheelStore>(), provider.GetRequiredService<JudgeServices>(), provider.GetRequiredService<GuidelineDistillation>(),
            models.Embedder(), provider.GetRequiredService<IFaultClassifier>(), provider.GetRequiredService<TimeProvider>(),
            () => Concurrency(models, provider.GetRequiredService<ServerOptions>().JudgeConcurrency)));
        return services;
    }

    /// <summary>The application's own databases: <c>Databases:NAME</c> is <c>sqlite:FILE</c> or <c>postgres://…</c>.</summary>
    public static ApplicationDatabases OpenDatabases(IConfiguration configuration) => new(configuration.GetSection("Databases").GetChildren()
        .Where(setting => setting.Value is not null).Select(setting => KeyValuePair.Create(setting.Key, setting.Value!)));

    /// <summary>Where webhooks may go and how they sign: <c>Webhooks:Allow</c> (a list of host:port) and <c>Webhooks:Keys:NAME</c>.</summary>
    static WebhookServices Webhooks(IConfiguration configuration, TimeProvider clock) => new(
        configuration.GetSection("Webhooks:Allow").Get<string[]>(),
        configuration.GetSection("Webhooks:Keys").GetChildren().Where(key => key.Value is not null).ToDictionary(key => key.Key, key => key.Value!), clock);

    /// <summary>Validators for the rows of files; judges know the approved labels of <paramref name="store"/>, when there is one.</summary>
    public static ValidatorRegistry FileRegistry(
        ModelRegistry models, ISqlEvaluator sql, Sandbox sandbox, CodeDatabases databases, IFlywheelStore? store = null, TimeProvider? clock = null,
        IApplicationDatabases? applications = null)
    {
        var judges = new JudgeServices(
            name => models.Chat(name),
            store is null ? null : new RetrievedJudgeExamples(
                new DemonstrationRetriever(store.Demonstrations, models.Embedder(), clock ?? TimeProvider.System), store.Demonstrations),
            (model, usage) => PriceOf(models, model).CostUsd(usage)) { Structured = models.Structured };
        return ValidatorRegistry.BuiltIn(
            new TokenCounter(), sql, judges, CodeKinds.All(sandbox, databases)
                .Concat(EvaluatorKinds.All(OperatorServices.Evaluators(Settings.Load()), judges)).Concat(OperatorServices.Plugins(Settings.Load())),
            Webhooks(Settings.Load(), clock ?? TimeProvider.System),
            new DetectionServices(models.Embedder, clock ?? TimeProvider.System, path => Cli.Rows.Read(path).Select(row => row.Row)), applications);
    }

    /// <summary>The search for better judges as a command makes it, in its own process.</summary>
    public static JudgeAlignment OpenAlignment(IFlywheelStore store, ModelRegistry models, TimeProvider clock)
    {
        var faults = new ModelFaults(clock);
        var judges = new JudgeServices(name => models.Chat(name), null, (model, usage) => PriceOf(models, model).CostUsd(usage))
        {
            Structured = models.Structured, Ledger = store.JudgeCalls, MayHaveCost = error => faults.Classify(error).MayHaveCost, Clock = clock,
        };
        return new(
            store, judges, new GuidelineDistillation(store, judges), models.Embedder(), faults, clock,
            () => Concurrency(models, new ServerOptions().JudgeConcurrency));
    }

    static int Concurrency(ModelRegistry models, int least) => Math.Max(least, models.WantedConcurrency ?? 0);

    static DetectionServices Detectors(IServiceProvider provider, ModelRegistry models)
    {
        var (store, clock) = (provider.GetRequiredService<IFlywheelStore>(), provider.GetRequiredService<TimeProvider>());
        return new DetectionServices(models.Embedder, clock, References: new StoredReferences(store.References, store.Spans, clock));
    }

    /// <summary>The configured models, checked; the offline ones when there are none.</summary>
    public static ModelRegistry OpenModels(IConfiguration configuration) => new(ReadModels(configuration));

    public static ModelOptions ReadModels(IConfiguration configuration)
    {
        var section = configuration.GetSection("Models").AsEnumerable(makePathsRelative: true);
        // `Embeddings:Provider` beside `Models:Embeddings:Provider`: the short form that DESIGN's users know.
        var embeddings = configuration.GetSection("Embeddings").AsEnumerable(makePathsRelative: true)
            .Where(setting => setting.Key.Length > 0)
            .Select(setting => KeyValuePair.Create("embeddings:" + setting.Key, setting.Value));
        return ModelOptions.Read(section.Where(setting => setting.Key.Length > 0).Concat(embeddings));
    }

    public static Task<string> InstallUseLiteAsync(IConfiguration configuration, Action<InstallProgress> report, CancellationToken ct) =>
        new UseLiteInstaller(configuration["Models:Folder"]).InstallAsync(new Immediate(report), ct);

    public static Task<string> InstallOnnxRuntimeAsync(IConfiguration configuration, Action<InstallProgress> report, CancellationToken ct) =>
        new OnnxRuntimeInstaller(configuration["Models:Folder"]).InstallAsync(new Immediate(report), ct);

    static MetricWorker Worker(IServiceProvider provider, ServerOptions options)
    {
        var store = provider.GetRequiredService<IFlywheelStore>();
        var log = provider.GetRequiredService<ILogger<MetricWorker>>();
        return new MetricWorker(
            new WorkerStores(store.Jobs, store.Metrics, store.Spans), provider.GetRequiredService<ValidatorRegistry>(),
            provider.GetRequiredService<IFaultClassifier>(),
            new WorkerOptions
            {
                CodeConcurrency = options.CodeConcurrency,
                JudgeConcurrency = options.JudgeConcurrency,
                WantedConcurrency = () => provider.GetRequiredService<ModelRegistry>().WantedConcurrency,
                Lease = TimeSpan.FromSeconds(options.LeaseSeconds),
            },
            provider.GetRequiredService<WorkSignal>(), provider.GetRequiredService<TimeProvider>(), new Random(),
            (what, error) => log.LogError(error, "A worker's turn failed at {What}; trying again", what), provider.GetRequiredService<JudgeWatch>());
    }

    /// <summary>By the provider's name of the model, since that is what a reply carries.</summary>
    static ModelPrice PriceOf(ModelRegistry models, string? model) =>
        models.ChatNames.Where(name => models.ModelId(name) == model).Select(models.Price).FirstOrDefault(ModelPrice.Free);

    /// <summary>Reports in the caller's order, unlike <see cref="Progress{T}"/>.</summary>
    sealed class Immediate(Action<InstallProgress> report) : IProgress<InstallProgress>
    {
        public void Report(InstallProgress value) => report(value);
    }
}
