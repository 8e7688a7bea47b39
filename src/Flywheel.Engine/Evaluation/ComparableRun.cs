using Flywheel.Core.Evaluation;

namespace Flywheel.Engine.Evaluation;

/// <summary>A run with the database that has it; runs of several databases can be compared.</summary>
public sealed record ComparableRun(string Database, IEvalRunStore Store, EvalRunSummary Run);
