using Flywheel.Core.Retrieval;

namespace Flywheel.Core.Review;

public sealed record ReviewCandidate(string Output, float[] Vector);
public sealed record ReviewChoice(int Candidate, double Score, string Reason);
public static class ReviewSelection
{
    public static IReadOnlyList<ReviewChoice> Choose(IReadOnlyList<ReviewCandidate> candidates, DemonstrationIndex? approved, int budget) =>
        [.. candidates.Select((c, i) => new ReviewChoice(i, approved?.Nearest(c.Vector, 1) is { Count: > 0 } n ? 1 - n[0].Similarity : 1, "unlike anything approved so far")).OrderByDescending(c => c.Score).Take(budget)];
}
