
namespace Flywheel.Engine.Judging;

/// <summary>A call was not made because a budget is used up.</summary>
/// <param name="limit">Which one, in words.</param>
sealed class BudgetExhaustedException(string limit) : Exception($"budget exhausted: {limit}");
