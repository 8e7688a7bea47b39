using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Jobs;
using Flywheel.Core.Judging;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;
using Flywheel.Storage.Aligning;
using Flywheel.Storage.Erasures;
using Flywheel.Storage.Jobs;
using Flywheel.Storage.Judging;
using Flywheel.Storage.Labeling;
using Flywheel.Storage.Metrics;
using Flywheel.Storage.Postgres;
using Flywheel.Storage.Projects;
using Flywheel.Storage.Retrieval;
using Flywheel.Storage.Review;
using Flywheel.Storage.Sqlite;
using Flywheel.Storage.Traces;

namespace Flywheel.Storage;

/// <summary>Opens the database behind everything.</summary>
public sealed class FlywheelStore : IFlywheelStore
{
    readonly Database database;

    internal Database Database => database;

    FlywheelStore(Database database)
    {
        this.database = database;
        Projects = new ProjectStore(database);
        Audit = new AuditStore(database);
        Spans = new SpanStore(database);
        SpanWriter = new SpanWriter(database);
        var metrics = new MetricStore(database);
        Metrics = metrics;
        Verdicts = new VerdictStore(database);
        Jobs = new JobStore(database);
        PeriodicTasks = new PeriodicTaskStore(database);
        Labels = new LabelStore(database);
        Corrections = new CorrectionStore(database);
        Feedback = new FeedbackStore(database);
        Review = new ReviewStore(database);
        Demonstrations = new DemonstrationStore(database);
        NodePolicies = new NodePolicyStore(database);
        References = new ReferenceStore(database);
        MetricReviews = new MetricReviewStore(database);
        Guidelines = new GuidelineStore(database);
        JudgeCalls = new JudgeCallStore(database);
        Backfills = new BackfillStore(database);
        Classification = new ClassificationStore(database);
        JudgeWatch = new JudgeWatchStore(database);
        Serving = new ServingStore(database);
        Calibrations = new CalibrationStore(database);
        GatewayPolicies = new Gateway.GatewayPolicyStore(database);
        SpanTexts = new SpanTextStore(database);
        Prompts = new Prompts.PromptStore(database);
        Datasets = new Datasets.DatasetStore(database);
        Erasures = new ErasureStore(database);
        Archives = new Archives.ArchiveStore(database);
        ProposedLabels = new ProposedLabelStore(database);
        Evaluations = new SpanEvaluationStore(database);
        Outbox = new VerdictOutbox(database);
        Proposals = new Proposals.ProposalStore(database, metrics);
        Alignments = new AlignmentStore(database);
        Anchors = new AnchorStore(database);
        EvalRuns = new Evaluation.EvalRunStore(database);
    }

    public string Description => database.Description;
    public DatabaseKind Kind => database.Kind;

    public IProjectStore Projects { get; }
    public IAuditStore Audit { get; }
    public ISpanStore Spans { get; }
    public ISpanWriter SpanWriter { get; }
    public IMetricStore Metrics { get; }
    public IVerdictStore Verdicts { get; }
    public IJobStore Jobs { get; }
    public IPeriodicTaskStore PeriodicTasks { get; }
    public ILabelStore Labels { get; }
    public ICorrectionStore Corrections { get; }
    public IFeedbackStore Feedback { get; }
    public IReviewStore Review { get; }
    public IDemonstrationStore Demonstrations { get; }
    public INodePolicyStore NodePolicies { get; }
    public IReferenceStore References { get; }
    public IMetricReviewStore MetricReviews { get; }
    public IGuidelineStore Guidelines { get; }
    public IJudgeCallStore JudgeCalls { get; }
    public IBackfillStore Backfills { get; }
    public IClassificationStore Classification { get; }
    public IJudgeWatchStore JudgeWatch { get; }
    public IServingStore Serving { get; }
    public ICalibrationStore Calibrations { get; }
    public Core.Gateway.IGatewayPolicyStore GatewayPolicies { get; }
    public ISpanTextStore SpanTexts { get; }
    public Core.Prompts.IPromptStore Prompts { get; }
    public Core.Datasets.IDatasetStore Datasets { get; }
    public IErasureStore Erasures { get; }
    public Core.Archives.IArchiveStore Archives { get; }
    public IProposedLabelStore ProposedLabels { get; }
    public ISpanEvaluationStore Evaluations { get; }
    public IVerdictOutbox Outbox { get; }
    public Core.Proposals.IProposalStore Proposals { get; }
    public Core.Judging.Aligning.IAlignmentStore Alignments { get; }
    public Core.Judging.Anchoring.IAnchorStore Anchors { get; }

    public Core.Evaluation.IEvalRunStore EvalRuns { get; }

    /// <summary>Opens a database; <see cref="MigrateAsync"/> then brings its schema up to date.</summary>
    /// <param name="url">
    /// <c>sqlite:PATH</c> (<c>sqlite::memory:</c> is a file that goes with the store), <c>postgres://…</c> or <c>postgresql://…</c>.
    /// </param>
    /// <exception cref="StoreException">The url has none of these forms, or the database cannot be reached or used; the message says
    /// why.</exception>
    public static async Task<IFlywheelStore> OpenAsync(string url, StoreOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(url);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.QueueCapacity, 1, nameof(options));
        if (url.StartsWith("sqlite:", StringComparison.Ordinal) && url.Length > "sqlite:".Length)
            return new FlywheelStore(await Task.Run(() => SqliteDatabase.Open(url["sqlite:".Length..], options), ct).ConfigureAwait(false));
        if (url.StartsWith("postgres://", StringComparison.Ordinal) || url.StartsWith("postgresql://", StringComparison.Ordinal))
            return new FlywheelStore(await PostgresDatabase.OpenAsync(url, options, ct).ConfigureAwait(false));
        throw new StoreException(
            $"'{Scheme(url)}' names no database: use sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or postgresql://…");
    }

    public Task<IReadOnlyList<string>> MigrateAsync(CancellationToken ct) => database.MigrateAsync(ct);

    public Task<string?> FindDamageAsync(CancellationToken ct) => database.FindDamageAsync(ct);

    public Task PingAsync(CancellationToken ct) => database.NumberAsync("SELECT count(*) FROM project WHERE id = 1", ct);

    public ValueTask DisposeAsync() => database.DisposeAsync();

    /// <summary>What of a url may stand in a message: it can hold a password.</summary>
    static string Scheme(string url) => url.IndexOf(':', StringComparison.Ordinal) is var colon and >= 0 ? url[..(colon + 1)] + "…" : url;
}
