namespace Flywheel.Engine.Judging.Aligning;

/// <summary>What is asked of a search for a better judge.</summary>
/// <param name="Labels">The newest so many blind labels are looked at.</param>
/// <param name="Model">Who distils rules; null for the metric's own judge.</param>
/// <param name="Reference">Attribute with a reference answer; null looks whether nearly all labelled spans have a usual one.</param>
public sealed record AlignmentRequest(int Labels = AlignmentRequest.UsualLabels, string? Model = null, string? Reference = null)
{
    public const int UsualLabels = 400, LeastLabels = 40, MostLabels = 2_000;
}
