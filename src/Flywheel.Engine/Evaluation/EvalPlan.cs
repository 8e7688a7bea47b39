using Flywheel.Core.Evaluation;

namespace Flywheel.Engine.Evaluation;

/// <summary>An evaluation that is ready to run.</summary>
/// <param name="Answers">Makes the outputs first; null if they are in the rows.</param>
/// <param name="Split">The split that the rows are restricted to; null for none.</param>
/// <param name="Name">How lists call the run; null for none.</param>
public sealed record EvalPlan(
    EvalRows Rows, IReadOnlyList<EvalMetric> Metrics, AnswerMaker? Answers = null, string? Split = null, string? Name = null)
{
    const int ModelCallsAtOnce = 8;

    /// <summary>Begin a new run even if one over the same rows and metrics was cut short.</summary>
    public bool Afresh { get; init; }

    /// <summary>US dollars after which no row is begun; null for no limit.</summary>
    public double? MaxUsd { get; init; }

    /// <summary>Rows at once; null for the number of processors, or 8 if models are called.</summary>
    public int? Concurrency { get; init; }

    public IReadOnlyList<EvalThreshold> Thresholds { get; init; } = [];

    /// <summary>True if outputs are compared with right classes.</summary>
    public bool Compares => Rows.Fields.Expected is not null;

    internal EvalOptions Options => new(
        Concurrency ?? (Answers is not null
            || Metrics.Any(metric => metric.Kind.CallsModel) ? ModelCallsAtOnce : Environment.ProcessorCount));

    internal NewEvalRun Describe(string dataHash)
    {
        var none = new EvalAbout(Name: null);
        var about = (Answers?.About ?? none)
        with { Name = Name, Dataset = Rows.Source.Dataset?.Dataset, DatasetVersion = Rows.Source.Dataset?.Number };
        var setHash = EvalMetricSets.Fingerprint(Metrics, Rows.Fields) + (Answers is null ? "" : "+" + Answers.Fingerprint)
            + (Split is null ? "" : "/" + Split);
        return new(
            Rows.Source.Name, dataHash, setHash, [.. Metrics.Select(metric => metric.Metric.Name)], EvalMetricSets.Json(Metrics),
            about == none ? null : about.Json());
    }
}
