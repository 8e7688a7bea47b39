using System.Text.Json.Nodes;
using Flywheel.Core.Review;
using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>How many labels does an interval of a given width take? Drawn at random and read alone, drawn at random with the judge's help, and
/// drawn as the review queue does.</summary>
static class LabelsStudy
{
    const int Judged = 5_000;
    const int Fewest = 20;
    const int Batches = 10;
    const int Most = 1_600;
    static readonly float[] Nowhere = [1];

    public static JsonArray Run(int runs)
    {
        var table = new JsonArray();
        Console.Error.WriteLine($"labels until the median 95 % interval over {runs} runs is no wider; {Judged:N0} judged rows; - = more than {Most}");
        Console.Error.WriteLine($"{"truth",-12} {"what",-10} {"width",5} {"labels alone",12} {"random + judge",14} {"ours",6}");
        foreach (var truth in CoverageStudy.Grid)
            foreach (var (what, width) in new[] { ("pass rate", 0.10), ("pass rate", 0.05), ("kappa", 0.40), ("kappa", 0.25) })
            {
                var alone = what == "pass rate" ? Needed(truth, runs, width, (rows, _) => RateEstimate.Of(rows).HumanOnly, allotted: false) : null;
                var random = Needed(truth, runs, width, Ours(what), allotted: false);
                var ours = Needed(truth, runs, width, Ours(what), allotted: true);
                Console.Error.WriteLine(FormattableString.Invariant(
                    $"{truth,-12} {what,-10} {width,5:0.00} {(what == "pass rate" ? alone?.ToString() ?? "-" : ""),12} {random?.ToString() ?? "-",14} {ours?.ToString() ?? "-",6}"));
                table.Add(new JsonObject { ["truth"] = truth.ToString(), ["what"] = what, ["width"] = width, ["labels_alone"] = alone, ["random"] = random, ["ours"] = ours });
            }
        return table;
    }

    static Func<JudgedRow[], int, Estimate> Ours(string what) => (rows, seed) =>
    {
        var posterior = RateEstimate.Of(rows, seed).Posterior;
        return what == "kappa" ? posterior.Kappa : posterior.PassRate;
    };

    /// <summary>Bisects over the number of labels; widths fall with it.</summary>
    static int? Needed(SimulatedTraffic truth, int runs, double width, Func<JudgedRow[], int, Estimate> estimate, bool allotted)
    {
        int low = Fewest, high = Most;
        if (Width(high) > width)
            return null;
        while (high - low > Math.Max(1, low / 50))
        {
            var middle = (low + high) / 2;
            if (Width(middle) <= width)
                high = middle;
            else
                low = middle;
        }
        return high;

        double Width(int labels)
        {
            var random = new Random(17);
            var widths = new double[runs];
            for (var run = 0; run < runs; run++)
            {
                var all = truth.Draw(random, Judged, Judged);
                widths[run] = estimate(allotted ? Draw(all, labels, random) : [.. all.Select((row, i) => i < labels ? row : row with { Human = null })], run).Width;
            }
            return Estimate.Quantile(widths.Order().ToArray(), 0.5);
        }
    }

    /// <summary>As the review queue draws them: traffic comes in batches, each considered once; texts tell nothing here, verdicts do.</summary>
    static JudgedRow[] Draw(JudgedRow[] all, int labels, Random random)
    {
        var rows = new List<JudgedRow>(all.Length);
        foreach (var batch in all.Chunk(Judged / Batches))
        {
            var candidates = batch.Select(row => new DrawCandidate(row.Judge, 0.5, 1, Nowhere)).ToArray();
            var chances = LabelDraw.Chances(candidates, RateEstimate.Cells(rows, weighted: false), (double)labels / Batches, 0);
            var drawn = LabelDraw.Draw(candidates, chances, 0, random).ToHashSet();
            rows.AddRange(batch.Select((row, i) => drawn.Contains(i) ? row with { Propensity = chances[i] } : row with { Human = null }));
        }
        return [.. rows];
    }
}
