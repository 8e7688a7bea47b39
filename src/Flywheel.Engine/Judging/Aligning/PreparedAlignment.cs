namespace Flywheel.Engine.Judging.Aligning;

/// <summary>What a search works on.</summary>
/// <param name="Candidates">The present judge first.</param>
/// <param name="Reference">Attribute with a reference answer; null for none.</param>
/// <param name="Notes">What is left out, and why.</param>
sealed record PreparedAlignment(
    AlignmentMaterial Material, IReadOnlyList<JudgeCandidate> Candidates, string? Reference, IReadOnlyList<string> Notes);
