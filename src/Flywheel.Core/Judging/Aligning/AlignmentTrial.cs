using Flywheel.Core.Metrics;

namespace Flywheel.Core.Judging.Aligning;

/// <summary>Has judges answer.</summary>
/// <param name="candidate">Its place; 0 is the present judge.</param>
/// <param name="cases">What is judged.</param>
/// <param name="folds">Of each case: the fold whose labels must not teach; null for held-out cases, of which none may teach.</param>
public delegate Task<IReadOnlyList<Outcome>> AskJudge(int candidate, IReadOnlyList<AlignmentCase> cases, IReadOnlyList<int>? folds);

/// <summary>How one candidate did in cross-validation.</summary>
/// <param name="Balanced">Balanced accuracy.</param>
/// <param name="Low">Its 5 % quantile: what candidates are chosen by.</param>
public sealed record CandidateScore(int Candidate, JudgeCounts Counts, double Balanced, double Low);

/// <param name="Chosen">0 when no candidate is ahead of the present judge; then nothing was tested.</param>
/// <param name="Test">Null when nothing was tested.</param>
/// <param name="Old">The present judge on the tested labels.</param>
public sealed record TrialResult(IReadOnlyList<CandidateScore> Scores, int Chosen, PairedTest? Test, JudgeCounts? Old, JudgeCounts? New)
{
    public bool Promotes => Test?.Promotes == true;
}

/// <summary>
/// Chooses one judge by cross-validation on the earlier labels, and tests that one once against the present judge on the later ones.
/// </summary>
/// <remarks>ALGORITHMS A2. One test of one candidate: how many were tried does not make a false promotion likelier.</remarks>
public static class AlignmentTrial
{
    /// <summary>Candidates are compared by this quantile of their balanced accuracy.</summary>
    public const double Quantile = 0.05;

    /// <param name="candidates">At least the present judge.</param>
    public static async Task<TrialResult> RunAsync(LabelSplit split, int candidates, AskJudge ask)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(candidates, 1);
        var scores = new List<CandidateScore>();
        for (var candidate = 0; candidate < candidates; candidate++)
        {
            var answers = await ask(candidate, split.Fit, split.Fold).ConfigureAwait(false);
            var counts = JudgeCounts.Of(answers.Zip(split.Fit, (said, of) => (said, of.Passed)));
            scores.Add(new(candidate, counts, counts.Balanced, counts.BalancedQuantile(Quantile)));
        }
        // Of equal ones the first, which is the present judge or the smaller change.
        var chosen = scores.MaxBy(score => score.Low)!.Candidate;
        if (chosen == 0)
            return new(scores, 0, null, null, null);

        var tested = split.HeldOut.Where((_, i) => split.Weights[i] > 0).ToArray();
        var weights = split.Weights.Where(weight => weight > 0).ToArray();
        var old = await ask(0, tested, null).ConfigureAwait(false);
        var its = await ask(chosen, tested, null).ConfigureAwait(false);
        var test = PairedTest.Of([.. tested.Select((each, i) => (weights[i], Right(its[i], each), Right(old[i], each)))]);
        return new(scores, chosen, test, JudgeCounts.Of(old.Zip(tested, (said, of) => (said, of.Passed))),
            JudgeCounts.Of(its.Zip(tested, (said, of) => (said, of.Passed))));
    }

    static bool Right(Outcome said, AlignmentCase of) => said == (of.Passed ? Outcome.Pass : Outcome.Fail);
}
