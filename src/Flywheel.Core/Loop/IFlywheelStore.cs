using Flywheel.Core.Evaluation;
using Flywheel.Core.Jobs;
using Flywheel.Core.Judging;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Core;

/// <summary>Which SQL a database speaks.</summary>
public enum DatabaseKind
{
    Sqlite,
    Postgres,
}

/// <summary>Everything that is kept, by topic. One database behind it.</summary>
public interface IFlywheelStore : IAsyncDisposable
{
    /// <summary>What it is and where, without secrets: for logs and the doctor.</summary>
    string Description { get; }

    DatabaseKind Kind { get; }

    IProjectStore Projects { get; }
    IAuditStore Audit { get; }
    ISpanStore Spans { get; }
    ISpanWriter SpanWriter { get; }
    IMetricStore Metrics { get; }
    IVerdictStore Verdicts { get; }
    IJobStore Jobs { get; }
    IPeriodicTaskStore PeriodicTasks { get; }
    ILabelStore Labels { get; }
    ICorrectionStore Corrections { get; }
    IFeedbackStore Feedback { get; }
    IReviewStore Review { get; }
    IDemonstrationStore Demonstrations { get; }
    INodePolicyStore NodePolicies { get; }
    IReferenceStore References { get; }
    IMetricReviewStore MetricReviews { get; }
    IGuidelineStore Guidelines { get; }
    IJudgeCallStore JudgeCalls { get; }
    IBackfillStore Backfills { get; }
    IClassificationStore Classification { get; }
    IJudgeWatchStore JudgeWatch { get; }
    IServingStore Serving { get; }
    ICalibrationStore Calibrations { get; }
    Gateway.IGatewayPolicyStore GatewayPolicies { get; }
    ISpanTextStore SpanTexts { get; }
    Prompts.IPromptStore Prompts { get; }
    Datasets.IDatasetStore Datasets { get; }
    IErasureStore Erasures { get; }
    Archives.IArchiveStore Archives { get; }
    IProposedLabelStore ProposedLabels { get; }
    ISpanEvaluationStore Evaluations { get; }
    IVerdictOutbox Outbox { get; }
    Proposals.IProposalStore Proposals { get; }
    Judging.Aligning.IAlignmentStore Alignments { get; }
    Judging.Anchoring.IAnchorStore Anchors { get; }
    Evaluation.IEvalRunStore EvalRuns { get; }

    /// <summary>Brings the schema up to date; safe when several processes start at once.</summary>
    /// <returns>Names of the migrations that this call applied.</returns>
    Task<IReadOnlyList<string>> MigrateAsync(CancellationToken ct);

    /// <summary>Reads the whole database for pages and indexes that contradict each other; as slow as the database is large.</summary>
    /// <returns>What is damaged, in words; null when nothing is, or when the database checks itself (PostgreSQL).</returns>
    Task<string?> FindDamageAsync(CancellationToken ct);

    /// <summary>A cheap read that proves the database answers.</summary>
    Task PingAsync(CancellationToken ct);
}
