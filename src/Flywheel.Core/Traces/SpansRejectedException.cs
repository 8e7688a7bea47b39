namespace Flywheel.Core.Traces;

/// <summary>One span that a loop refused for good.</summary>
/// <param name="Code">Machine-readable, such as <c>invalid_started_at</c>.</param>
public sealed record RejectedSpan(NewSpan Span, string Code, string Message);

/// <summary>The loop kept the good spans of a batch and refused these; sending any of them again is of no use.</summary>
public sealed class SpansRejectedException(IReadOnlyList<RejectedSpan> rejected)
    : Exception($"{rejected.Count} span(s) "
    + $"refused{(rejected.Count == 0 ? "" : $"; the first: {rejected[0].Code}: {rejected[0].Message}")}.")
{
    /// <summary>Each with the reason.</summary>
    public IReadOnlyList<RejectedSpan> Rejected { get; } = rejected;
}
