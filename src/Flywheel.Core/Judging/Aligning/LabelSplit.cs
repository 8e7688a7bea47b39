using System.Security.Cryptography;
using System.Text;

namespace Flywheel.Core.Judging.Aligning;

/// <summary>Labels to choose a judge by, in folds, and later ones to test it on.</summary>
/// <param name="Fold">Of each label to choose by, 0 to <see cref="Folds"/> - 1; texts of one trace are in one fold.</param>
/// <param name="HeldOut">The later half by time, whole traces: never shown to a judge, never distilled from.</param>
/// <param name="Weights">Of the held-out labels; 0 for one that would not compare judges fairly.</param>
public sealed record LabelSplit(
    IReadOnlyList<AlignmentCase> Fit, IReadOnlyList<int> Fold, IReadOnlyList<AlignmentCase> HeldOut, IReadOnlyList<double> Weights)
{
    public const int Folds = 5;

    /// <summary>Labels that each part must have, and of each outcome.</summary>
    public const int Least = 20, LeastOfEach = 5;

    /// <summary>Drawn labels from which on those that nobody drew are left out.</summary>
    const int EnoughDrawn = Least;

    public int Tested => Weights.Count(weight => weight > 0);

    public static LabelSplit Of(IReadOnlyList<AlignmentCase> cases)
    {
        var groups = cases.GroupBy(each => each.Trace, StringComparer.Ordinal)
            .OrderBy(group => group.Min(each => each.At)).ThenBy(group => group.Key, StringComparer.Ordinal).ToArray();
        var early = new List<IGrouping<string, AlignmentCase>>();
        var taken = 0;
        foreach (var group in groups)
        {
            if (2 * (taken + group.Count()) > cases.Count)
                break;
            taken += group.Count();
            early.Add(group);
        }
        var heldOut = groups.Skip(early.Count).SelectMany(group => group).ToArray();

        var fit = new List<AlignmentCase>();
        var fold = new List<int>();
        // Outcomes spread evenly over the folds; the order within an outcome has nothing to do with time or text.
        foreach (var (group, i) in early
            .OrderBy(group => group.Count(each => each.Passed) * 2 > group.Count()).ThenBy(group => Draw(group.Key), StringComparer.Ordinal)
            .Select((group, i) => (group, i)))
            foreach (var each in group)
            {
                fit.Add(each);
                fold.Add(i % Folds);
            }
        return new(fit, fold, heldOut, Weigh(heldOut));
    }

    /// <summary>About how many more blind labels are needed; 0 when there are enough.</summary>
    public int Missing()
    {
        var fair = HeldOut.Where((_, i) => Weights[i] > 0).ToArray();
        var all = Fit.Count + HeldOut.Count;
        double passes = Fit.Concat(HeldOut).Count(each => each.Passed), rarer = Math.Min(passes, all - passes);
        // Nothing of the rarer outcome yet: taken to be one in twenty.
        var share = all == 0 ? 0.5 : Math.Max(rarer / all, 0.05);
        var fairShare = HeldOut.Count == 0 ? 1 : Math.Max((double)fair.Length / HeldOut.Count, 0.1);
        // New labels are the newest: of two, one moves an older one from the tested half to the other.
        return (int)Math.Ceiling(2 * Math.Max(0, Math.Max(Lacks(Fit, share), Lacks(fair, share) / fairShare)));
    }

    static double Lacks(IReadOnlyList<AlignmentCase> part, double share)
    {
        int passed = part.Count(each => each.Passed), ofRarer = Math.Min(passed, part.Count - passed);
        return Math.Max(Least - part.Count, (LeastOfEach - ofRarer) / share);
    }

    static double[] Weigh(AlignmentCase[] heldOut)
    {
        var onlyDrawn = heldOut.Count(each => each.Chance > 0) >= EnoughDrawn;
        return [.. heldOut.Select(each => !each.IsFair ? 0 : onlyDrawn ? each.Chance > 0 ? 1 / each.Chance : 0 : 1)];
    }

    static string Draw(string trace) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes("align\n" + trace)));
}
