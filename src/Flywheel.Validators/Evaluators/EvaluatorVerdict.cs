using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Validators.Evaluators;

/// <summary>What one metric of an evaluator's result means here.</summary>
/// <remarks>
/// An interpretation that says failed is a fail, whatever the value. Without a value nothing was decided: an error when a diagnostic
/// says so, else unsure, never a pass. Bounds decide a number; without bounds its interpretation does.
/// </remarks>
sealed record EvaluatorVerdict(string Metric, double? Min, double? Max)
{
    public Finding Of(EvaluationResult result)
    {
        if (!result.Metrics.TryGetValue(Metric, out var metric))
            return Finding.Error(
                $"the evaluator gave no metric `{Metric}`, only "
                    + $"{(result.Metrics.Count == 0 ? "none" : NearMiss.List(result.Metrics.Keys.Order(StringComparer.Ordinal)))}");
        var score = (metric as NumericMetric)?.Value;
        var hasValue = metric switch
        {
            BooleanMetric boolean => boolean.Value is not null,
            NumericMetric => score is { } number && !double.IsNaN(number),
            StringMetric text => text.Value is not null,
            _ => metric.Interpretation is not null,
        };
        if (!hasValue)
            return metric.Diagnostics?.Any(each => each.Severity == EvaluationDiagnosticSeverity.Error) == true
                ? Finding.Error(Reason(metric) ?? "the evaluator failed without saying why")
                : metric.Interpretation is { Failed: true, Rating: not (EvaluationRating.Inconclusive or EvaluationRating.Unknown) }
                    ? Finding.Fail(Reason(metric) ?? "the evaluator's interpretation is: failed")
                    : Finding.Unsure(Reason(metric) ?? "the evaluator gave no value");
        if (metric.Interpretation is { Failed: true })
            return Finding.Fail(Reason(metric) ?? "the evaluator's interpretation is: failed", score);
        return metric switch
        {
            BooleanMetric { Value: false } => Finding.Fail(Reason(metric) ?? $"`{Metric}` is false"),
            BooleanMetric => Finding.Pass(null, Reason(metric)),
            NumericMetric when score < Min => Finding.Fail(Because(metric, $"{Text(score)}, less than {Text(Min)}"), score),
            NumericMetric when score > Max => Finding.Fail(Because(metric, $"{Text(score)}, more than {Text(Max)}"), score),
            NumericMetric when Min is not null || Max is not null => Finding.Pass(score, Reason(metric)),
            { Interpretation.Rating: not (EvaluationRating.Inconclusive or EvaluationRating.Unknown) } =>
                Finding.Pass(score, Reason(metric)),
            NumericMetric => Finding.Error(
                $"`{Metric}` is {Text(score)}, and the evaluator does not say whether that is good: set `min` or `max`"),
            _ => Finding.Unsure(Reason(metric) ?? $"the evaluator does not say whether its `{Metric}` is good"),
        };
    }

    /// <summary>Null when the evaluator says nothing.</summary>
    static string? Reason(EvaluationMetric metric)
    {
        string?[] said = [metric.Interpretation?.Reason, metric.Reason, .. metric.Diagnostics?.Select(each => each.Message) ?? []];
        var text = string.Join("; ", said.Where(each => !string.IsNullOrWhiteSpace(each)).Distinct(StringComparer.Ordinal));
        return text.Length == 0 ? null : text.Length <= 2_000 ? text : text[..2_000] + "…";
    }

    static string Because(EvaluationMetric metric, string bound) => Reason(metric) is { } reason ? $"{bound}: {reason}" : bound;

    static string Text(double? number) => number?.ToString("0.####", CultureInfo.InvariantCulture) ?? "";
}
