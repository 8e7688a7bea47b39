using Flywheel.Core.Traces;

namespace Flywheel.Core.Judging.Aligning;

/// <summary>What a person said blind of one text.</summary>
/// <param name="Label">Id of the label that counts.</param>
/// <param name="Chance">As of <see cref="Metrics.MetricCell.Chance"/>: drawn with this probability, 0 unasked, -1 picked.</param>
/// <param name="Served">The review queue showed the pair.</param>
public sealed record AlignmentCase(
    Guid Label, SpanId Span, string Trace, string Node, bool Passed, string? Critique, double Chance, bool Served, DateTimeOffset At)
{
    /// <summary>Not chosen for what the present judge said of it: only such labels compare that judge fairly with another.</summary>
    /// <remarks>The queue shows fails first. Where the present judge fails a text wrongly any other one looks better.</remarks>
    public bool IsFair => Chance > 0 || Chance == 0 && !Served;
}
