using Flywheel.Core;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Models;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>Reads what a search would work on, and says what it would do and cost; asks no model.</summary>
public sealed class AlignmentPreparation(
    IAlignmentStore alignments, IDemonstrationStore demonstrations, ISpanStore spans, JudgeServices services,
    GuidelineDistillation distillation)
{
    /// <param name="until">Labels after it are not looked at; null for all.</param>
    /// <exception cref="RequestException">The search cannot be made as asked.</exception>
    internal async Task<PreparedAlignment> PrepareAsync(
        Metric metric, AlignmentRequest request, DateTimeOffset? until, CancellationToken ct)
    {
        if (metric.Validator.Kind != "judge")
            throw new RequestException(RequestErrorKind.Conflict, "not_a_judge",
                $"`{metric.Name}` is decided by `{metric.Validator.Kind}`: only metrics of kind `judge` can be aligned.");
        if (request.Labels is < AlignmentRequest.LeastLabels or > AlignmentRequest.MostLabels)
            throw RequestException.BadField("labels",
                $"`labels` is {request.Labels}: use {AlignmentRequest.LeastLabels} to {AlignmentRequest.MostLabels}.");
        var material = await AlignmentMaterial.ReadAsync(alignments, demonstrations, spans, metric, until, request.Labels, ct);
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
            throw RequestException.BadField("model", error.Message);
        }
        if (!canDistil)
            notes.Add("The offline model cannot write rules: candidates with guidelines are left out (`model` names who can).");
        var reference = StoredJudgeSettings.Text(metric, "reference") is not null ? null : request.Reference ?? material.FindReference();
        if (reference is not null && material.Spans.Count > 0 && material.ShareWith(reference) == 0)
            throw RequestException.BadField("reference",
                $"`reference` is `{reference}`: no labelled span has a text there in its attributes.");
        return new(
            material, JudgeCandidate.All(StoredJudgeSettings.Number(metric, "examples") ?? 6, hasPool, canDistil, reference), reference,
            notes);
    }

    internal AlignmentOutlook Outlook(Metric metric, AlignmentRequest request, PreparedAlignment prepared)
    {
        var (material, candidates, _, notes) = prepared;
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

    static int Annotators(Metric metric) => StoredJudgeSettings.Number(metric, "annotators") ?? 1;
}
