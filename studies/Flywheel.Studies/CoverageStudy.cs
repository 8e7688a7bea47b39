using System.Text.Json.Nodes;
using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>Do intervals hold the truth as often as they say, and at what width?</summary>
static class CoverageStudy
{
    const int Judged = 5_000;

    public static readonly SimulatedTraffic[] Grid = [new(.70, .90, .80), new(.90, .95, .70), new(.97, .97, .60)];

    static readonly int[] Labels = [20, 30, 60, 100, 200];

    public static JsonArray Run(int runs)
    {
        var table = new JsonArray();
        Console.Error.WriteLine($"95 % intervals, coverage/width, {Judged:N0} judged rows, {runs} runs; truth: pass rate, TPR, TNR");
        Console.Error.WriteLine($"{"truth",-12} {"n",4} {"human only",12} {"PPI",12} {"PPI++",12} {"ours",12} {"Rogan-Gladen",13} {"judge only",12} | {"TPR",12} {"TNR",12} {"kappa",12} | half on judge-fails: ours, kappa");
        foreach (var truth in Grid)
            foreach (var labels in Labels)
            {
                var tallies = Point(truth, labels, runs);
                Console.Error.WriteLine(
                    $"{truth,-12} {labels,4} {tallies["human_only"],12} {tallies["ppi"],12} {tallies["ppi_plus_plus"],12} {tallies["ours"],12} {tallies["rogan_gladen"],13} {tallies["judge_only"],12} | {tallies["tpr"],12} {tallies["tnr"],12} {tallies["kappa"],12} | {tallies["ours_half_on_fails"],12} {tallies["kappa_half_on_fails"],12}");
                var row = new JsonObject { ["truth"] = truth.ToString(), ["n"] = labels, ["runs"] = runs };
                foreach (var (name, tally) in tallies)
                    row[name] = tally.Json();
                table.Add(row);
            }
        return table;
    }

    /// <summary>One point of the grid, by method.</summary>
    public static Dictionary<string, Tally> Point(SimulatedTraffic truth, int labels, int runs)
    {
        var tallies = new Dictionary<string, Tally>();
        var random = new Random(labels * 1_000 + (int)(1_000 * truth.Passing));
        for (var run = 0; run < runs; run++)
        {
            var rows = truth.Draw(random, Judged, labels);
            var ours = RateEstimate.Of(rows, run);
            Add("ours", ours.Posterior.PassRate, truth.Passing);
            Add("human_only", ours.HumanOnly, truth.Passing);
            Add("judge_only", ours.JudgeOnly, truth.Passing);
            Add("rogan_gladen", RoganGladen.Of(rows), truth.Passing);
            Add("ppi", Powered(rows, labels, 1), truth.Passing);
            Add("ppi_plus_plus", Powered(rows, labels, null), truth.Passing);
            Add("tpr", ours.Posterior.TruePassRate, truth.TruePassRate);
            Add("tnr", ours.Posterior.TrueFailRate, truth.TrueFailRate);
            Add("kappa", ours.Posterior.Kappa, truth.Kappa);
            var forced = RateEstimate.Of(truth.DrawHalfOnFails(random, Judged, labels), run).Posterior;
            Add("ours_half_on_fails", forced.PassRate, truth.Passing);
            Add("kappa_half_on_fails", forced.Kappa, truth.Kappa);
        }
        return tallies;

        void Add(string name, Estimate estimate, double value)
        {
            if (!tallies.TryGetValue(name, out var tally))
                tallies[name] = tally = new Tally();
            tally.Add(estimate, value);
        }
    }

    /// <summary>Prediction-powered inference on rows whose first ones are labelled.</summary>
    public static Estimate Powered(IReadOnlyList<JudgedRow> rows, int labels, double? weight) => AugmentedEstimate.PredictionPowered(
        [.. rows.Take(labels).Select(row => row.Human == true ? 1.0 : 0)], [.. rows.Take(labels).Select(row => row.Judge == true ? 1.0 : 0)],
        [.. rows.Skip(labels).Select(row => row.Judge == true ? 1.0 : 0)], weight);
}
