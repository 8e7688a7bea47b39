using Flywheel.Core.Retrieval;

namespace Flywheel.Core.Review;

/// <summary>Which production items a person should see next, so that the demonstrations made from them help most.</summary>
/// <remarks>
/// <para>
/// Every item stands for the traffic that looks like it. Choosing an item helps an item it resembles by as much as it
/// is nearer than whatever was approved or chosen before, and more where the approved demonstrations disagree about
/// the answer: uncertainty-weighted facility location, maximised greedily (Nemhauser et al., 1978: at least 63 % of
/// the optimum), evaluated lazily (Minoux, 1978). Novelty, uncertainty, density and diversity within the batch are
/// thereby one number. After AdaICL (Mavromatis et al., arXiv 2310.20046) and vote-k (Su et al., arXiv 2209.01975),
/// which combine the same ingredients in stages.
/// </para>
/// <para>
/// Deterministic for equal input and seed. Time is candidates * 2,048 * dimensions, some tenths of a second for
/// 10,000 candidates, and nearly independent of the budget.
/// </para>
/// </remarks>
public static class ReviewSelection
{
    /// <summary>Beyond this many candidates an even sample of them is considered.</summary>
    public const int MostCandidates = 20_000;

    internal const int MostReferences = 2_048;

    private const int Voters = 10;

    /// <summary>The next items to show, best first; at most <paramref name="budget"/>, fewer when there are fewer.</summary>
    /// <param name="candidates">Items without a demonstration yet, one entry an item; repeated texts may stay, they are weight.</param>
    /// <param name="demonstrations">Those approved for the node so far; null or empty at the start.</param>
    /// <param name="seed">Decides which candidates stand for the traffic when there are many.</param>
    public static IReadOnlyList<InformativeItem> Choose(
        IReadOnlyList<ReviewCandidate> candidates, DemonstrationIndex? demonstrations, int budget, int seed, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        ArgumentOutOfRangeException.ThrowIfNegative(budget);
        if (candidates.Count == 0 || budget == 0)
            return [];

        var random = new Random(seed);
        var considered = Sample(candidates, MostCandidates, random);
        var references = Sample(considered, MostReferences, random);
        var knowledge = references.Select(reference => Knowledge.Of(reference, demonstrations)).ToArray();
        ct.ThrowIfCancellationRequested();
        var gains = new CoverageGains(considered, references, knowledge, ct);
        return Greedy(considered, gains, demonstrations, Math.Min(budget, considered.Length), ct);
    }

    private static List<InformativeItem> Greedy(
        ReviewCandidate[] considered, CoverageGains gains, DemonstrationIndex? demonstrations, int budget, CancellationToken ct)
    {
        // Gains only shrink as picks are added: whatever still tops the queue after a fresh look is the best.
        var queue = new PriorityQueue<int, (double Gain, int At)>(considered.Length, HighestGainFirst);
        for (var i = 0; i < considered.Length; i++)
            queue.Enqueue(i, (gains.Of(i), i));

        var picks = new List<InformativeItem>(budget);
        while (picks.Count < budget && queue.TryDequeue(out var best, out _))
        {
            ct.ThrowIfCancellationRequested();
            var gain = gains.Of(best);
            if (queue.TryPeek(out _, out var next) && gain < next.Gain)
            {
                queue.Enqueue(best, (gain, best));
                continue;
            }

            picks.Add(Pick(considered[best], gain, gains.Represents(best), demonstrations));
            gains.Add(best);
        }

        return picks;
    }

    private static readonly Comparer<(double Gain, int At)> HighestGainFirst =
        Comparer<(double Gain, int At)>.Create((a, b) => a.Gain != b.Gain ? b.Gain.CompareTo(a.Gain) : a.At.CompareTo(b.At));

    private static InformativeItem Pick(ReviewCandidate candidate, double gain, double represents, DemonstrationIndex? demonstrations)
    {
        var known = Knowledge.Of(candidate, demonstrations);
        var reason = known.Similarity < Knowledge.Unlike ? Informativeness.Novel
            : known.Certainty < Knowledge.Undecided ? Informativeness.Disagreement
            : Informativeness.Representative;
        return new(candidate.Id, gain, reason, known.Similarity, known.Certainty, represents);
    }

    private static ReviewCandidate[] Sample(IReadOnlyList<ReviewCandidate> all, int most, Random random)
    {
        var sample = all.ToArray();
        if (sample.Length <= most)
            return sample;
        random.Shuffle(sample);
        return sample[..most];
    }

    /// <summary>What the approved demonstrations say about an item.</summary>
    /// <param name="Similarity">Cosine to the nearest, in [0, 1]; 0 without any.</param>
    /// <param name="Certainty">Share of the vote for the leading answer, in [0, 1]; 0 without any.</param>
    internal readonly record struct Knowledge(double Similarity, double Certainty)
    {
        public const double Unlike = 0.4;
        public const double Undecided = 0.6;

        public static Knowledge Of(ReviewCandidate item, DemonstrationIndex? demonstrations)
        {
            if (demonstrations is null)
                return default;
            var nearest = demonstrations.Nearest(item.Query ?? item.Vector, Voters);
            return SoftmaxVote.Of(nearest.Select(n => (n.Answer, n.Similarity))) is { } vote
                ? new(Math.Clamp(nearest[0].Similarity, 0, 1), vote.Share)
                : default;
        }
    }
}
