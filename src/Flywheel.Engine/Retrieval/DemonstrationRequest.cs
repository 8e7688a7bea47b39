namespace Flywheel.Engine.Retrieval;

/// <summary>Which demonstrations to list; null does not restrict.</summary>
/// <param name="Node">Those of this node's prompt; not together with <paramref name="Metric"/>.</param>
/// <param name="Metric">Those of this metric's judge.</param>
/// <param name="Purpose"><c>task</c> or <c>judge</c>; a node or a metric says it too.</param>
/// <param name="State"><c>pending</c>, <c>approved</c> or <c>recalled</c>.</param>
public sealed record DemonstrationRequest(
    string? Node = null, string? Metric = null, string? Purpose = null, string? State = null, string? Cursor = null, int Limit = 50);
