namespace Flywheel.Core.Metrics;

/// <summary>Where in a text a validator found something.</summary>
/// <param name="Start">0-based, in UTF-16 code units.</param>
/// <param name="Length">In UTF-16 code units; 1 or more.</param>
/// <param name="Type">What was found: <c>card</c>, <c>email</c>, or a name of the user's.</param>
public sealed record FoundSpan(int Start, int Length, string Type)
{
    /// <summary>First position after it.</summary>
    public int End => Start + Length;
}
