namespace Flywheel.Engine.Retrieval;

/// <summary>An input that demonstrations are looked for.</summary>
/// <param name="Node">Whose prompt; or <paramref name="Metric"/> for a judge's.</param>
/// <param name="K">Number of demonstrations, 1 to 100; null as the policy says.</param>
/// <param name="Strategy"><c>similar</c>, <c>similar-fixed</c>, <c>both</c> or <c>recent</c>; null as the policy says.</param>
public sealed record RetrievalRequest(string Input, string? Node = null, string? Metric = null, int? K = null, string? Strategy = null);
