using System.Text.Json.Nodes;
using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>Which calibrator, and does it order verdicts as well as the confidence that came with them? Out of sample, on recorded judges.</summary>
static class CalibratorStudy
{
    public static JsonArray Run(int resamples)
    {
        var table = new JsonArray();
        Console.Error.WriteLine($"log-loss of each calibrator and AURC of ours beside raw confidence, out of sample, mean of {resamples} resamples");
        Console.Error.WriteLine($"{"verdicts",-34} {"n",4} {"raw",7} {"constant",8} {"platt",7} {"venn-ab",7} {"isoton.",7} | {"AURC raw",8} {"ours",7}");
        foreach (var recorded in RecordedConfidence.All())
            foreach (var size in new[] { 30, 100, 200, 400 }.Where(size => size <= recorded.Rows.Length))
            {
                var random = new Random(13);
                var sums = new double[7];
                for (var i = 0; i < resamples; i++)
                {
                    var (fit, _) = CalibrateStudy.Split(recorded, size, random);
                    var report = CalibrationReport.Of(fit, 0.1, 0.1, i);
                    var share = (fit.Count(row => row.Agreed == true) + 0.5) / (size + 1);
                    double[] values =
                    [
                        report.Raw!.LogLoss, -(share * Math.Log(share) + (1 - share) * Math.Log(1 - share)), report.Others[CalibratorKind.RidgePlatt].LogLoss,
                        report.Others[CalibratorKind.VennAbers].LogLoss, report.Others[CalibratorKind.Isotonic].LogLoss, report.Raw.Aurc, report.Calibrated!.Aurc,
                    ];
                    for (var j = 0; j < sums.Length; j++)
                        sums[j] += values[j] / resamples;
                }
                Console.Error.WriteLine(FormattableString.Invariant(
                    $"{recorded.Name,-34} {size,4} {sums[0],7:0.000} {sums[1],8:0.000} {sums[2],7:0.000} {sums[3],7:0.000} {sums[4],7:0.000} | {sums[5],8:0.000} {sums[6],7:0.000}"));
                table.Add(new JsonObject
                {
                    ["verdicts"] = recorded.Name, ["n"] = size, ["log_loss_raw"] = sums[0], ["log_loss_constant"] = sums[1], ["log_loss_platt"] = sums[2],
                    ["log_loss_venn_abers"] = sums[3], ["log_loss_isotonic"] = sums[4], ["aurc_raw"] = sums[5], ["aurc"] = sums[6],
                });
            }
        return table;
    }
}
