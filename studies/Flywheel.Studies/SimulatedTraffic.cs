using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>Judged traffic with a known truth: a pass rate and a judge's error rates.</summary>
/// <param name="Passing">Share that people would pass.</param>
/// <param name="TruePassRate">Of those, the share that the judge passes.</param>
/// <param name="TrueFailRate">Of the others, the share that the judge fails.</param>
sealed record SimulatedTraffic(double Passing, double TruePassRate, double TrueFailRate)
{
    public double Kappa
    {
        get
        {
            double hits = Passing * TruePassRate, rightFails = (1 - Passing) * TrueFailRate;
            var judged = hits + (1 - Passing) * (1 - TrueFailRate);
            var chance = judged * Passing + (1 - judged) * (1 - Passing);
            return (hits + rightFails - chance) / (1 - chance);
        }
    }

    /// <summary>Rows of which the first <paramref name="labels"/> carry a person's label: a random part, since rows are independent.</summary>
    public JudgedRow[] Draw(Random random, int judged, int labels)
    {
        var rows = new JudgedRow[judged];
        for (var i = 0; i < judged; i++)
        {
            var human = random.NextDouble() < Passing;
            var judge = random.NextDouble() < (human ? TruePassRate : 1 - TrueFailRate);
            rows[i] = new JudgedRow(judge, i < labels ? human : null);
        }
        return rows;
    }

    /// <summary>The same, with half of the labels given to rows that the judge failed (all of these when there are too few).</summary>
    public JudgedRow[] DrawHalfOnFails(Random random, int judged, int labels)
    {
        var rows = Draw(random, judged, judged);
        var fails = Enumerable.Range(0, judged).Where(i => rows[i].Judge == false).Take(labels / 2).ToHashSet();
        var passes = Enumerable.Range(0, judged).Where(i => rows[i].Judge == true).Take(labels - fails.Count).ToHashSet();
        for (var i = 0; i < judged; i++)
            if (!fails.Contains(i) && !passes.Contains(i))
                rows[i] = rows[i] with { Human = null };
        return rows;
    }

    public override string ToString() => FormattableString.Invariant($"{Passing:.00} {TruePassRate:.00} {TrueFailRate:.00}");
}
