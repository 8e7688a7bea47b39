using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Archives;
using Flywheel.Engine.Datasets;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Gateway;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Health;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Judging.Aligning;
using Flywheel.Engine.Judging.Anchoring;
using Flywheel.Engine.Labeling;
using Flywheel.Engine.Loop;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Metrics.Sql;
using Flywheel.Engine.Models;
using Flywheel.Engine.Packs;
using Flywheel.Engine.Projects;
using Flywheel.Engine.Prompts;
using Flywheel.Engine.Proposals;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Review;
using Flywheel.Engine.Telemetry;
using Flywheel.Engine.Traces;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Flywheel.Engine.Composition;

/// <summary>Puts the engine together: the server, the command line, the embedded engine and the tests all use this.</summary>
public static class EngineComposition
{
    /// <summary>
    /// Registers what decides metrics over texts, with no database: the registry of validators and the services of judges.
    /// </summary>
    /// <remarks>
    /// The caller registers <see cref="ModelRegistry"/> and, optionally, <see cref="TimeProvider"/> and <see cref="ISqlEvaluator"/>.
    /// Without the latter only the metrics fail that need it. Kinds of the package Flywheel.Validators come in by
    /// <see cref="EngineOptions.Kinds"/>.
    /// </remarks>
    public static IServiceCollection AddValidation(this IServiceCollection services, EngineOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => provider.GetRequiredService<ModelRegistry>().Embedder());
        services.TryAddSingleton<IFaultClassifier, ModelFaults>();
        services.AddSingleton<ITokenCounter, TokenCounter>();
        services.AddSingleton(Judges);
        services.AddSingleton(provider => EngineValidators.Registry(
            provider.GetRequiredService<ITokenCounter>(), provider.GetService<ISqlEvaluator>(),
            provider.GetRequiredService<JudgeServices>(),
            options.Kinds(provider)));
        return services;
    }

    /// <summary>
    /// Registers the whole loop over the <see cref="IFlywheelStore"/> that the caller registers: use cases, workers, retrieval, guards.
    /// </summary>
    /// <remarks>Includes <see cref="AddValidation"/>. Nothing runs until <see cref="LoopWorkers.RunAsync"/> is called.</remarks>
    public static IServiceCollection AddEngine(this IServiceCollection services, EngineOptions options)
    {
        services.AddDataUseCases();
        services.TryAddSingleton<ISqlEvaluator, StoredExpressions>();
        services.AddRetrieval();
        services.AddSingleton<IJudgeGuidelines, StoredGuidelines>();
        services.AddSingleton<IJudgeCalibrations, StoredCalibrations>();
        services.AddValidation(options);
        services.AddUseCases();
        services.AddWorkers(options);
        return services;
    }

    /// <summary>Registers the retrieval of demonstrations, also for judges' prompts, over the stores that the caller registers.</summary>
    public static IServiceCollection AddRetrieval(this IServiceCollection services)
    {
        services.AddSingleton<DemonstrationRetriever>();
        services.AddSingleton<DemonstrationEmbedding>();
        services.AddSingleton<NodePolicies>();
        services.AddSingleton<IJudgeExamples, RetrievedJudgeExamples>();
        return services;
    }

    /// <summary>Registers the use cases that need a database and nothing else: no model, no validator, no worker.</summary>
    /// <remarks>Included in <see cref="AddEngine"/>. The caller registers <see cref="IFlywheelStore"/>.</remarks>
    public static IServiceCollection AddDataUseCases(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddStores();
        services.AddSingleton<DatasetService>();
        services.AddSingleton<PromptService>();
        services.AddSingleton<SpanPromptService>();
        services.AddSingleton<ProjectService>();
        services.AddSingleton<KeyService>();
        services.AddSingleton<ErasureService>();
        services.AddSingleton<GatewayPolicyService>();
        services.TryAddSingleton<IFaultClassifier, ModelFaults>();
        services.AddSingleton<EvaluationService>();
        services.AddSingleton<ArchiveExportService>();
        return services;
    }

    /// <summary>What a person, a page, a command or an agent can do; one service per topic.</summary>
    static void AddUseCases(this IServiceCollection services)
    {
        services.AddSingleton<MetricRules>();
        services.AddSingleton<MetricService>();
        services.AddSingleton<ReferenceService>();
        services.AddSingleton<MetricPreview>();
        services.AddSingleton<PreviewService>();
        services.AddSingleton<BackfillService>();
        services.AddSingleton<PackService>();
        services.AddSingleton<CalibrationService>();
        services.AddSingleton<JudgeAgreementService>();
        services.AddSingleton<AlarmService>();
        services.AddSingleton<JudgeBudgetService>();
        services.AddSingleton<GuidelineService>();
        services.AddSingleton<AlignmentService>();
        services.AddSingleton<AnchorService>();
        services.AddSingleton<ActiveGuards>();
        services.AddSingleton<ISpanFilter, SpanRedaction>();
        services.AddSingleton<SpanIntake>();
        services.AddSingleton<InputGuard>();
        services.AddSingleton<ReviewServing>();
        services.AddSingleton<ReviewQueue>();
        services.AddSingleton<AgentVisibility>();
        services.AddSingleton<MetricReviewService>();
        services.AddSingleton<EvaluationJoining>();
        services.AddSingleton<ArchiveImportService>();
        services.AddSingleton<EvalMetricSets>();
        services.TryAddSingleton(PriceTable.BuiltIn);
        services.AddSingleton<AnswerMakers>();
        services.AddSingleton<RecordImportService>();
        services.AddSingleton<EmbeddedLoop>();
        services.AddSingleton<LabelService>();
        services.AddSingleton<CorrectionService>();
        services.AddSingleton<FeedbackService>();
        services.AddSingleton<ClassificationService>();
        services.AddSingleton<ProposedLabelService>();
        services.AddSingleton<ProposedCorrectionService>();
        services.AddSingleton<DemonstrationService>();
        services.AddSingleton<RetrievalService>();
        services.AddSingleton<NodePolicyService>();
        services.AddSingleton<TraceService>();
        services.AddSingleton<SpanSearchService>();
        services.AddSingleton<ProposedMetricService>();
        services.AddSingleton<ProposedGuidelineService>();
        services.AddSingleton<ProposalService>();
        services.AddSingleton<JobService>();
        services.AddSingleton<GuardService>();
        services.AddSingleton<ReadinessService>();
    }

    static void AddWorkers(this IServiceCollection services, EngineOptions options)
    {
        services.AddSingleton<WorkSignal>();
        services.AddSingleton<QueueMeasurement>();
        services.AddSingleton(provider => Worker(provider, options));
        services.AddSingleton(provider => provider.GetRequiredService<MetricWorker>().Health);
        services.AddSingleton<BackfillWorker>();
        services.AddSingleton<ForecastReader>();
        services.AddSingleton<ReviewPlanner>();
        services.AddSingleton<LabelPlanner>();
        services.AddSingleton<FixingPlanner>();
        services.AddSingleton<JudgeWatch>();
        services.AddSingleton<JudgeCalibrator>();
        services.AddSingleton<GuidelineDistillation>();
        services.AddSingleton<AlignmentPreparation>();
        services.AddSingleton<AnchorReplays>();
        services.AddSingleton(provider => new JudgeAlignment(
            provider.GetRequiredService<IFlywheelStore>(), provider.GetRequiredService<JudgeServices>(),
            provider.GetRequiredService<GuidelineDistillation>(), provider.GetRequiredService<AlignmentPreparation>(),
            provider.GetRequiredService<ModelRegistry>().Embedder(),
            provider.GetRequiredService<IFaultClassifier>(), provider.GetRequiredService<TimeProvider>(),
            () => Math.Max(options.JudgeConcurrency, provider.GetRequiredService<ModelRegistry>().WantedConcurrency ?? 0)));
        services.AddPeriodicTasks();
        services.AddSingleton<LoopWorkers>();
    }

    static JudgeServices Judges(IServiceProvider provider)
    {
        var models = provider.GetRequiredService<ModelRegistry>();
        var faults = provider.GetRequiredService<IFaultClassifier>();
        return new(name => models.Chat(name), provider.GetService<IJudgeExamples>(), (model, usage) =>
            PriceOf(models, model).CostUsd(usage))
        {
            Structured = models.Structured,
            Ledger = provider.GetService<Core.Judging.IJudgeCallStore>(),
            Guidelines = provider.GetService<IJudgeGuidelines>(),
            Calibrations = provider.GetService<IJudgeCalibrations>(),
            MayHaveCost = error => faults.Classify(error).MayHaveCost,
            Clock = provider.GetRequiredService<TimeProvider>(),
        };
    }

    static MetricWorker Worker(IServiceProvider provider, EngineOptions options)
    {
        var store = provider.GetRequiredService<IFlywheelStore>();
        return new MetricWorker(
            new WorkerStores(store.Jobs, store.Metrics, store.Spans), provider.GetRequiredService<ValidatorRegistry>(),
            provider.GetRequiredService<IFaultClassifier>(),
            new WorkerOptions
            {
                CodeConcurrency = options.CodeConcurrency,
                JudgeConcurrency = options.JudgeConcurrency,
                WantedConcurrency = () => provider.GetRequiredService<ModelRegistry>().WantedConcurrency,
                Lease = options.Lease,
            },
            provider.GetRequiredService<WorkSignal>(), provider.GetRequiredService<TimeProvider>(), new Random(),
            (what, error) => options.OnFault(provider, what, error), provider.GetRequiredService<JudgeWatch>());
    }

    /// <summary>The price of a model by the name that the provider's replies carry.</summary>
    static ModelPrice PriceOf(ModelRegistry models, string? model) =>
        models.ChatNames.Where(name => models.ModelId(name) == model).Select(models.Price).FirstOrDefault(ModelPrice.Free);
}
