using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Evaluation;

/// <param name="Text">The beginning of what was checked.</param>
public sealed record PreviewExample(SpanKey Span, string Node, string? Text, Outcome Outcome, double? Score, string? Reason);

/// <summary>What a metric would have said of past spans; nothing of it is stored.</summary>
/// <param name="Spans">Spans looked at.</param>
/// <param name="Outcomes">Counts; spans that wait for a model to be asked are in none of them.</param>
/// <param name="SkippedBecause">Why spans were skipped, with counts.</param>
/// <param name="Calls">Spans for which a model would be asked.</param>
/// <param name="EstimatedUsd">What those calls should cost at most.</param>
/// <param name="SpentUsd">What this preview itself cost.</param>
/// <param name="Examples">Fails, errors and unsure ones first.</param>
public sealed record PreviewResult(
    NewMetric Metric, int Spans, IReadOnlyDictionary<Outcome, int> Outcomes, IReadOnlyDictionary<string, int> SkippedBecause, int Calls,
    double EstimatedUsd, double SpentUsd, double MillisecondsASpan, IReadOnlyList<PreviewExample> Examples);

/// <summary>Tries a metric on past spans before it is switched on.</summary>
public sealed class MetricPreview(ValidatorRegistry registry, IJobStore budget, IFaultClassifier faults, TimeProvider clock)
{
    const int Examples = 5;
    const int ExcerptLength = 200;

    /// <param name="askModels">How many model calls may be made, within the project's budget; 0 only estimates their cost.</param>
    /// <exception cref="ValidatorSettingsException">The metric cannot work.</exception>
    public async Task<PreviewResult> OfAsync(
        ProjectId project, NewMetric metric, IReadOnlyList<Span> spans, int askModels, CancellationToken ct)
    {
        var kind = registry.Get(metric.Validator.Kind);
        var validator = kind.Create(new(metric.Name, metric.Criterion, metric.Subject, project), metric.Validator.Settings);
        var stored = new Metric(
            default, default, project, metric.Name, 1, MetricState.Active, metric.Role, metric.Criterion, metric.Subject, metric.Nodes,
            metric.Kinds,
            metric.Sampling, metric.Validator, metric.Author, clock.GetUtcNow(), metric.OnFail, metric.OnError, metric.Segments,
            metric.LabelsPerItem);
        var (findings, calls, usd) = (new List<(Span Span, Finding Finding)>(), 0, 0.0);
        var started = clock.GetTimestamp();
        foreach (var span in spans)
        {
            ct.ThrowIfCancellationRequested();
            var examinee = new Examinee(metric.Subject == MetricSubject.Input ? span.Content.Input : span.Content.Output, span);
            var finding = WhyNot(stored, kind, span) is { } reason ? Finding.Skipped(reason) : null;
            if (finding is null && kind.CallsModel && (validator as IPricedValidator)?.WithoutCall(examinee) is { } free)
                finding = free;
            if (finding is null && kind.CallsModel)
            {
                usd += (validator as IPricedValidator)?.ExpectedCostUsd(examinee) ?? 0;
                if (++calls > askModels)
                    continue;
                finding = await AskAsync(project, validator, examinee, ct);
            }
            findings.Add((span, finding ?? await CheckAsync(validator, examinee, ct)));
        }
        var took = clock.GetElapsedTime(started).TotalMilliseconds;
        return new(
            metric, spans.Count, Enum.GetValues<Outcome>()
                .ToDictionary(outcome => outcome, outcome => findings.Count(each => each.Finding.Outcome == outcome)),
            findings.Where(each => each.Finding.Outcome == Outcome.Skipped).CountBy(each => each.Finding.Reason ?? "").ToDictionary(),
            calls, usd, findings.Sum(each => each.Finding.CostUsd), spans.Count == 0 ? 0 : took / spans.Count,
            [.. findings.OrderBy(each => Rank(each.Finding.Outcome)).Take(Examples)
                .Select(each => Example(metric.Subject, each.Span, each.Finding))]);
    }

    static string? WhyNot(Metric metric, IValidatorKind kind, Span span) =>
        Applicability.WhyNot(metric, span.Content.Node, span.Content.Kind, span.Key)
        ?? (metric.Segments is null ? null : Segments.WhyNot(metric, Segments.Of(span.Content.EndUser, span.Content.Attributes)))
        ?? (kind.NodeKinds.Contains(span.Content.Kind) ? null : $"{kind.Name} does not check {Wire.Name(span.Content.Kind)} nodes");

    /// <summary>A call counts against the project's budget like any other.</summary>
    async Task<Finding> AskAsync(ProjectId project, IValidator validator, Examinee examinee, CancellationToken ct)
    {
        var expected = (validator as IPricedValidator)?.ExpectedCostUsd(examinee) ?? 0;
        var at = clock.GetUtcNow();
        if (await budget.ReserveJudgeCallAsync(project, expected, at, ct) is { } limit)
            return Finding.Skipped($"budget exhausted: {limit}");
        var finding = await CheckAsync(validator, examinee, ct);
        await budget.SettleJudgeCallAsync(project, expected, finding.CostUsd, at, ct);
        return finding;
    }

    async Task<Finding> CheckAsync(IValidator validator, Examinee examinee, CancellationToken ct)
    {
        try
        {
            return await validator.CheckAsync(examinee, ct);
        }
        catch (Exception error) when (!ct.IsCancellationRequested)
        {
            return Finding.Error(faults.Classify(error).Reason);
        }
    }

    static int Rank(Outcome outcome) =>
        outcome switch { Outcome.Fail => 0, Outcome.Error => 1, Outcome.Unsure => 2, Outcome.Pass => 3, _ => 4 };

    static PreviewExample Example(MetricSubject subject, Span span, Finding finding)
    {
        var text = subject == MetricSubject.Input ? span.Content.Input : span.Content.Output;
        return new(
            span.Key, span.Content.Node,
            text is { Length: > ExcerptLength }
                ? text[..(char.IsHighSurrogate(text[ExcerptLength - 1]) ? ExcerptLength - 1 : ExcerptLength)] + "…" : text,
            finding.Outcome, finding.Score, finding.Reason);
    }
}
