namespace Flywheel.Engine.Evaluation;

/// <summary>The lowest rate that a run must reach.</summary>
/// <param name="Name">A metric of the set, <c>accuracy</c> or <c>macro_f1</c>.</param>
/// <param name="Minimum">Share in [0, 1].</param>
public sealed record EvalThreshold(string Name, double Minimum);
