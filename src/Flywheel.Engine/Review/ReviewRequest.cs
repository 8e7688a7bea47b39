namespace Flywheel.Engine.Review;

/// <summary>Which items of the queue to list; null does not restrict.</summary>
/// <param name="Reason">Such as <c>low-score</c>.</param>
/// <param name="Author">Leaves out what this person labelled and what others have taken.</param>
/// <param name="Reserve">How long the author takes the items, such as <c>90s</c>, <c>10m</c> or <c>1h</c>; null takes nothing.</param>
/// <param name="Blind">Nothing on the page tells what a judge said.</param>
public sealed record ReviewRequest(
    string? Node = null, string? Metric = null, string? Reason = null, string? Cursor = null, int Limit = 50, string? Author = null,
    string? Reserve = null, bool Blind = false);
