namespace Flywheel.Core.Statistics;

/// <summary>How well a score tells strange from ordinary, whatever threshold is chosen.</summary>
public static class ConformalSeparation
{
    /// <summary>Area under the ROC curve: the probability that a strange text scores above an ordinary one, ties counting half.</summary>
    /// <remarks>Mann and Whitney, 1947. 0.5 is chance; sorting decides, so the cost is n log n.</remarks>
    /// <returns>Null when either side is empty.</returns>
    public static double? Auroc(IEnumerable<double> strange, IEnumerable<double> ordinary)
    {
        var all = strange.Select(score => (Score: score, Strange: true)).Concat(ordinary.Select(score => (Score: score, Strange: false)))
            .ToArray();
        if (all.Any(each => double.IsNaN(each.Score)))
            throw new ArgumentException("A score is not a number.");
        Array.Sort(all, (a, b) => a.Score.CompareTo(b.Score));

        double wins = 0, below = 0, positives = 0;
        for (int from = 0, to; from < all.Length; from = to)
        {
            double high = 0, low = 0;
            for (to = from; to < all.Length && all[to].Score == all[from].Score; to++)
                (high, low) = all[to].Strange ? (high + 1, low) : (high, low + 1);
            wins += high * (below + low / 2);
            (below, positives) = (below + low, positives + high);
        }
        return positives == 0 || below == 0 ? null : wins / (positives * below);
    }
}
