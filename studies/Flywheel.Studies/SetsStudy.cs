using System.Text.Json.Nodes;
using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>On recorded judges: 50 labels drawn at random, does the interval hold the whole set's human rate?</summary>
static class SetsStudy
{
    const int Labels = 50;

    public static JsonArray Run(int resamples)
    {
        var table = new JsonArray();
        Console.Error.WriteLine($"95 % intervals from {Labels} labels, coverage/width over {resamples} resamples");
        Console.Error.WriteLine($"{"set",-18} {"judge",-17} {"rows",5} {"human",6} {"judge",6} {"ours",12} {"human only",12} {"judge only",12} {"Rogan-Gladen",13}");
        foreach (var recorded in RecordedJudge.All())
        {
            var random = new Random(7);
            Tally ours = new(), human = new(), judge = new(), corrected = new();
            for (var i = 0; i < resamples; i++)
            {
                var rows = Drawn(recorded.Rows, Labels, random);
                var estimate = RateEstimate.Of(rows, i);
                ours.Add(estimate.Posterior.PassRate, recorded.HumanRate);
                human.Add(estimate.HumanOnly, recorded.HumanRate);
                judge.Add(estimate.JudgeOnly, recorded.HumanRate);
                corrected.Add(RoganGladen.Of(rows), recorded.HumanRate);
            }
            var decided = recorded.Rows.Where(row => row.Judge is not null).ToArray();
            var judgeRate = decided.Average(row => row.Judge == true ? 1.0 : 0);
            Console.Error.WriteLine(FormattableString.Invariant(
                $"{recorded.Set,-18} {recorded.Judge,-17} {recorded.Rows.Length,5} {recorded.HumanRate,6:0.000} {judgeRate,6:0.000} {ours,12} {human,12} {judge,12} {corrected,13}"));
            table.Add(new JsonObject
            {
                ["set"] = recorded.Set, ["judge"] = recorded.Judge, ["rows"] = recorded.Rows.Length, ["human_rate"] = recorded.HumanRate,
                ["judge_rate"] = judgeRate, ["ours"] = ours.Json(), ["human_only"] = human.Json(), ["judge_only"] = judge.Json(),
                ["rogan_gladen"] = corrected.Json(),
            });
        }
        return table;
    }

    /// <summary>The rows with only some labels kept, drawn without replacement.</summary>
    public static JudgedRow[] Drawn(JudgedRow[] rows, int labels, Random random)
    {
        var order = Enumerable.Range(0, rows.Length).ToArray();
        random.Shuffle(order);
        var kept = order.Take(labels).ToHashSet();
        return [.. rows.Select((row, i) => kept.Contains(i) ? row : row with { Human = null })];
    }
}
