using System.Security.Cryptography;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Proposals;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Models;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>What is asked of a search for a better judge.</summary>
/// <param name="Labels">The newest so many blind labels are looked at.</param>
/// <param name="Model">Who distils rules; null for the metric's own judge.</param>
/// <param name="Reference">Attribute with a reference answer; null looks whether nearly all labelled spans have a usual one.</param>
public sealed record AlignmentRequest(int Labels = AlignmentRequest.UsualLabels, string? Model = null, string? Reference = null)
{
    public const int UsualLabels = 400, MostLabels = 2_000;
}

/// <summary>What a search would do.</summary>
/// <param name="Missing">About how many more labels are needed first; 0 when there are enough.</param>
/// <param name="Candidates">Names, the present judge first.</param>
/// <param name="Calls">Model calls at most; answers that are kept are not asked for again.</param>
/// <param name="CostUsd">Of these calls, at most.</param>
public sealed record AlignmentOutlook(
    string Metric, int MetricVersion, int Labels, int Fit, int HeldOut, int Tested, int Missing, IReadOnlyList<string> Candidates, int Calls, double CostUsd,
    IReadOnlyList<string> Notes);

/// <summary>A search cannot be made as asked; the message says why and what to do.</summary>
/// <param name="code">Machine-readable.</param>
/// <param name="field">What of the request is at fault; null when none is.</param>
public sealed class AlignmentException(string code, string message, string? field = null) : FlywheelException(message)
{
    public string Code { get; } = code;
    public string? Field { get; } = field;
}

/// <summary>Looks for better judges of a metric, and proposes one that people's later labels bear out.</summary>
/// <remarks>A search is durable: its answers are kept as all paid replies are, so what was interrupted goes on where it was.</remarks>
public sealed class JudgeAlignment(
    IFlywheelStore store, JudgeServices services, GuidelineDistillation distillation, IEmbedder embedder, IFaultClassifier faults, TimeProvider clock,
    Func<int>? concurrency = null)
{
    /// <summary>A search whose worker says nothing for so long is taken over.</summary>
    static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    readonly string _worker = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>Says what a search would do and cost; asks no model.</summary>
    /// <exception cref="AlignmentException">It cannot be made as asked.</exception>
    public async Task<AlignmentOutlook> LookAsync(Metric metric, AlignmentRequest request, CancellationToken ct)
    {
        var it = await PrepareAsync(metric, request, null, ct);
        return Outlook(metric, request, it.Material, it.Candidates, it.Notes);
    }

    /// <summary>Begins a search that a worker or <see cref="RunAsync"/> then makes. An open one of the metric is gone on with instead.</summary>
    /// <returns>No run where there are too few labels.</returns>
    /// <exception cref="AlignmentException">It cannot be made as asked.</exception>
    public async Task<(AlignmentOutlook Outlook, AlignmentRun? Run)> BeginAsync(Metric metric, AlignmentRequest request, string author, CancellationToken ct)
    {
        var (material, candidates, reference, notes) = await PrepareAsync(metric, request, null, ct);
        var outlook = Outlook(metric, request, material, candidates, notes);
        if (outlook.Missing > 0)
            return (outlook, null);
        var plan = new AlignmentPlan(request.Labels, request.Model, reference, new Dictionary<int, IReadOnlyList<ProposedGuideline>>());
        return (outlook, await store.Alignments.BeginAsync(
            metric, plan, material.Cases.Max(each => each.At), AlignmentSearch.Steps(material.Split, candidates), author, clock.GetUtcNow(), ct));
    }

    AlignmentOutlook Outlook(
        Metric metric, AlignmentRequest request, AlignmentMaterial material, IReadOnlyList<JudgeCandidate> candidates, IReadOnlyList<string> notes)
    {
        var split = material.Split;
        var missing = split.Missing();
        var distillations = missing == 0 && candidates.Any(each => each.Guidelines) ? LabelSplit.Folds + 1 : 0;
        var usd = missing > 0 ? 0 : Cost(material, candidates);
        if (distillations > 0)
            usd += distillations * distillation.ExpectedUsd(distillation.Distiller(metric, request.Model)!, split.Fit.Count);
        var calls = missing > 0 ? 0 : Annotators(metric) * (candidates.Count * split.Fit.Count + 2 * split.Tested) + distillations;
        return new(
            metric.Name, metric.Number, split.Fit.Count + split.HeldOut.Count, split.Fit.Count, split.HeldOut.Count, split.Tested, missing,
            [.. candidates.Select(each => each.Name)], calls, usd, notes);
    }

    public static string NotEnough(AlignmentOutlook outlook) =>
        $"not enough labels: about {outlook.Missing} more blind labels of `{outlook.Metric}` (there are {outlook.Labels}, of which {outlook.Tested} of the later half compare judges fairly)";

    /// <summary>Makes the oldest search that waits.</summary>
    /// <returns>How many were ended.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct) => (await RunAsync(null, null, ct))?.State is AlignmentState.Done or AlignmentState.Failed ? 1 : 0;

    /// <param name="only">Null for the oldest that waits.</param>
    /// <param name="report">Told (done, total).</param>
    /// <returns>The search as it is then; null when there is none to take.</returns>
    public async Task<AlignmentRun?> RunAsync(long? only, Action<int, int>? report, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (await store.Alignments.ClaimAsync(only, _worker, now, now + Lease, ct) is not { } run)
            return null;
        try
        {
            if (await store.Metrics.GetVersionAsync(run.Project, run.MetricVersion, ct) is not { } version
                || await store.Metrics.FindAsync(run.Project, version.Name, ct) is not { } metric || metric.VersionId != run.MetricVersion)
                return await EndAsync(run, "the metric has a newer version than the search began with: begin again", ct);
            var request = new AlignmentRequest(run.Plan.Labels, run.Plan.Model, run.Plan.Reference);
            var (material, candidates, _, notes) = await PrepareAsync(metric, request, run.LabelUntil, ct);
            if (material.Split.Missing() is > 0 and var missing)
                return await EndAsync(run, $"labels have gone since the search began: about {missing} more are needed", ct);
            using var search = new AlignmentSearch(store, services, distillation, embedder, faults, clock, run, _worker, Lease, concurrency?.Invoke() ?? 8, report);
            return await search.RunAsync(material, candidates, notes, ct);
        }
        catch (AlignmentPause pause)
        {
            if (pause.IsFault && run.Attempts + 1 >= AlignmentPause.MostFaults)
                return await EndAsync(run, $"gave up after {run.Attempts + 1} turns: {pause.Message}", ct);
            await store.Alignments.PauseAsync(run, _worker, pause.Message, pause.IsFault, pause.Until, ct);
            return await store.Alignments.FindAsync(run.Project, run.Id, ct);
        }
        catch (AlignmentLost)
        {
            return await store.Alignments.FindAsync(run.Project, run.Id, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // What is known is kept: the next turn, here or elsewhere, goes on at once.
            await store.Alignments.PauseAsync(run, _worker, "interrupted; it goes on with the next turn", isFault: false, clock.GetUtcNow(), CancellationToken.None);
            throw;
        }
        catch (Exception error) when (error is AlignmentException or ValidatorSettingsException or ModelSetupException)
        {
            return await EndAsync(run, error.Message, ct);
        }
        catch (Exception error)
        {
            // No search is stuck in a loop of faults: the worker's turn ends with the fault, and the count of turns with it.
            if (run.Attempts + 1 >= AlignmentPause.MostFaults)
                await EndAsync(run, $"gave up after {run.Attempts + 1} turns: {error.GetType().Name}", ct);
            else
                await store.Alignments.PauseAsync(run, _worker, $"a fault: {error.GetType().Name}", isFault: true, clock.GetUtcNow() + AlignmentPause.After(run.Attempts), ct);
            throw;
        }
    }

    Task<AlignmentRun?> EndAsync(AlignmentRun run, string why, CancellationToken ct) =>
        store.Alignments.EndAsync(run, _worker, why, null, null, clock.GetUtcNow(), ct);

    async Task<(AlignmentMaterial Material, IReadOnlyList<JudgeCandidate> Candidates, string? Reference, List<string> Notes)> PrepareAsync(
        Metric metric, AlignmentRequest request, DateTimeOffset? until, CancellationToken ct)
    {
        if (metric.Validator.Kind != "judge")
            throw new AlignmentException("not_a_judge", $"`{metric.Name}` is decided by `{metric.Validator.Kind}`: only metrics of kind `judge` can be aligned.");
        if (request.Labels is < 40 or > AlignmentRequest.MostLabels)
            throw new AlignmentException("invalid_labels", $"`labels` is {request.Labels}: use 40 to {AlignmentRequest.MostLabels}.", "labels");
        var material = await AlignmentMaterial.ReadAsync(store, metric, until, request.Labels, ct);
        var notes = new List<string>();

        var hasPool = material.Pool.Count > 0;
        if (!hasPool)
            notes.Add("No labels are approved as examples: candidates with other numbers of examples are left out.");
        bool canDistil;
        try
        {
            canDistil = distillation.Distiller(metric, request.Model) is not null;
        }
        catch (Exception error) when (error is ModelSetupException or ArgumentException)
        {
            throw new AlignmentException("invalid_model", error.Message, "model");
        }
        if (!canDistil)
            notes.Add("The offline model cannot write rules: candidates with guidelines are left out (`model` names who can).");
        var reference = Text(metric, "reference") is not null ? null : request.Reference ?? material.FindReference();
        if (reference is not null && material.Spans.Count > 0 && material.ShareWith(reference) == 0)
            throw new AlignmentException("invalid_reference", $"`reference` is `{reference}`: no labelled span has a text there in its attributes.", "reference");
        return (material, JudgeCandidate.All(Number(metric, "examples") ?? 6, hasPool, canDistil, reference), reference, notes);
    }

    double Cost(AlignmentMaterial material, IReadOnlyList<JudgeCandidate> candidates)
    {
        var metric = material.Metric;
        var context = new ValidatorContext(metric.Name, metric.Criterion, metric.Subject, metric.Project);
        var kind = new JudgeKind(services);
        var most = 0.0;
        var sum = 0.0;
        double Of(IValidator judge, AlignmentCase each) => material.Spans.GetValueOrDefault(each.Span) is { } span
            ? ((IPricedValidator)judge).ExpectedCostUsd(new(material.Text(each), span)) : 0;
        var tested = material.Split.HeldOut.Where((_, i) => material.Split.Weights[i] > 0).ToArray();
        foreach (var (candidate, place) in candidates.Select((candidate, place) => (candidate, place)))
        {
            var judge = kind.Create(context, candidate.Of(metric.Validator).Settings);
            sum += material.Split.Fit.Sum(each => Of(judge, each));
            var held = tested.Sum(each => Of(judge, each));
            if (place == 0)
                sum += held;
            most = Math.Max(most, held);
        }
        return Annotators(metric) * (sum + most);
    }

    static int Annotators(Metric metric) => Number(metric, "annotators") ?? 1;

    static int? Number(Metric metric, string setting) =>
        metric.Validator.Settings is { ValueKind: JsonValueKind.Object } settings && settings.TryGetProperty(setting, out var value)
        && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;

    static string? Text(Metric metric, string setting) =>
        metric.Validator.Settings is { ValueKind: JsonValueKind.Object } settings && settings.TryGetProperty(setting, out var value)
        && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>A search cannot go on for now.</summary>
sealed class AlignmentPause(string why, DateTimeOffset until, bool isFault) : Exception(why)
{
    /// <summary>Turns that may end in a fault.</summary>
    public const int MostFaults = 5;

    public DateTimeOffset Until { get; } = until;
    public bool IsFault { get; } = isFault;

    public static TimeSpan After(int faults) => TimeSpan.FromMinutes(Math.Min(60, 1 << Math.Min(faults, 6)));
}

/// <summary>Another worker has taken the search over.</summary>
sealed class AlignmentLost : Exception;
