using System.Text.Json.Nodes;
using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>How many labels does an interval of a given width take? Drawn at random and read alone, drawn at random with the judge's help, and
/// allotted between verdicts as the review queue does.</summary>
static class LabelsStudy
{
    const int Judged = 5_000;
    const int Pilot = 20;
    const int Most = 1_600;

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
        int low = Pilot, high = Most;
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
                widths[run] = estimate(allotted ? Allot(all, labels) : [.. all.Select((row, i) => i < labels ? row : row with { Human = null })], run).Width;
            }
            return Estimate.Quantile(widths.Order().ToArray(), 0.5);
        }
    }

    /// <summary>Twenty labels at random, the others as the queue would allot them given these, in batches that double.</summary>
    static JudgedRow[] Allot(JudgedRow[] all, int labels)
    {
        var rows = all.Select((row, i) => i < Pilot ? row : row with { Human = null }).ToArray();
        for (var spent = Pilot; spent < labels;)
        {
            var batch = Math.Min(labels - spent, spent);
            var cells = RateEstimate.Cells(rows, weighted: false);
            VerdictCell Cell(bool verdict) => VerdictCell.Pool(verdict, cells.Where(cell => cell.Verdict == verdict));
            var (pass, fail) = LabelAllocation.Split(Cell(true), Cell(false), batch);
            foreach (var share in new[] { pass, fail })
                foreach (var i in Enumerable.Range(0, rows.Length).Where(i => rows[i].Judge == share.Verdict && rows[i].Human is null).Take(share.Labels).ToArray())
                    rows[i] = all[i];
            spent += batch;
        }
        return rows;
    }
}
