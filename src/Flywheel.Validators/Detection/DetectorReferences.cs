using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Validators.Detection;

/// <summary>Which validators learn what is ordinary from an approved reference, and from how many inputs.</summary>
public static class DetectorReferences
{
    /// <summary>For messages.</summary>
    public const string Kinds = "`input.adversarial`, `input.anomaly`, `input.complexity` with `learn`, and `writer.perplexity`";

    /// <summary>The fewest inputs; null when the kind takes no reference.</summary>
    public static int? Needed(ValidatorSpec validator)
    {
        double Number(string name, double otherwise) =>
            validator.Settings.ValueKind == System.Text.Json.JsonValueKind.Object && validator.Settings.TryGetProperty(name, out var value)
            && value.ValueKind == System.Text.Json.JsonValueKind.Number ? value.GetDouble() : otherwise;
        bool Flag(string name) =>
            validator.Settings.ValueKind == System.Text.Json.JsonValueKind.Object && validator.Settings.TryGetProperty(name, out var value)
            && value.ValueKind == System.Text.Json.JsonValueKind.True;
        return validator.Kind switch
        {
            "input.adversarial" => ConformalCalibration.Needed(Number("false_alarms", AdversarialKind.DefaultFalseAlarms)),
            "input.anomaly" => AnomalyKind.Needed(Number("false_alarms", AnomalyKind.DefaultFalseAlarms), (int)Number("neighbours", AnomalyKind.DefaultNeighbours)),
            "input.complexity" when Flag("learn") => ComplexityKind.Needed(Number("false_alarms", ComplexityKind.DefaultFalseAlarms)),
            "writer.perplexity" => Writing.PerplexityKind.Needed(Number("false_alarms", Writing.PerplexityKind.DefaultFalseAlarms)),
            _ => null,
        };
    }
}
