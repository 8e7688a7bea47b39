
namespace Flywheel.Core.Evaluation;

/// <summary>Who evaluated, as the sender says.</summary>
public enum EvaluationSource
{
    Unknown,
    Human,
    Model,
    Code,
}
