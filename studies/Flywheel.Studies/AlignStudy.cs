using System.Text.Json.Nodes;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;

namespace Flywheel.Studies;

/// <summary>Does the search for better judges promote what is better, and leave alone what is not? The product's trial, with simulated judges of
/// known quality and with recorded verdicts of real judges as candidates.</summary>
static class AlignStudy
{
    /// <summary>Judges with recorded answers: the first is the present one.</summary>
    /// <param name="Passed">What people say of each text.</param>
    /// <param name="Says">By judge, by text.</param>
    sealed record RecordedJudges(bool[] Passed, Outcome[][] Says)
    {
        public double Balanced(int judge) => JudgeCounts.Of(Says[judge].Zip(Passed, (said, passed) => (said, passed))).Balanced;
    }

    /// <summary>How often each way of deciding promoted.</summary>
    sealed class Tallies
    {
        public int Runs, Ours, OursBetter, Posterior, Naive, NaiveBetter;

        public JsonObject Row(string name) => new()
        {
            ["case"] = name, ["runs"] = Runs, ["promoted"] = Share(Ours, Runs), ["of_promoted_better"] = Share(OursBetter, Ours), ["posterior_alone"] = Share(Posterior, Runs),
            ["naive"] = Share(Naive, Runs), ["of_naive_better"] = Share(NaiveBetter, Naive),
        };

        static double? Share(int part, int all) => all == 0 ? null : (double)part / all;
    }

    public static async Task<JsonArray> RunAsync(int runs)
    {
        Console.Error.WriteLine($"share of {runs} searches that promote a candidate; ours: chosen on the earlier half, tested once on the later half");
        Console.Error.WriteLine($"{"case",-62} {"ours",6} {"better",7} {"posterior alone",16} {"same labels",12} {"better",7}");
        var table = new JsonArray();
        async Task AddAsync(string name, Func<Random, (RecordedJudges Judges, Func<int, bool> IsBetter)> draw, int times)
        {
            var tallies = new Tallies();
            for (var run = 0; run < times; run++)
            {
                var (judges, isBetter) = draw(new Random(run + 1));
                await SearchAsync(judges, isBetter, tallies);
            }
            var row = tallies.Row(name);
            table.Add(row);
            Console.Error.WriteLine(FormattableString.Invariant(
                $"{name,-62} {row["promoted"]!.GetValue<double>(),6:0.000} {Text(row["of_promoted_better"]),7} {row["posterior_alone"]!.GetValue<double>(),16:0.000} {row["naive"]!.GetValue<double>(),12:0.000} {Text(row["of_naive_better"]),7}"));
        }

        // Equal judges: errors of their own, or half of them in common.
        foreach (var labels in (int[])[40, 100, 200, 400])
            foreach (var shared in (double[])[0, 0.5])
                await AddAsync($"simulated, 10 equal judges, {labels} labels, {shared:P0} of errors in common", random => (Simulated(random, labels, shared, 10, 0), _ => false), runs);
        foreach (var gain in (double[])[0.03, 0.06, 0.1, 0.15])
            foreach (var labels in (int[])[100, 200, 400])
                await AddAsync(
                    $"simulated, one of 9 candidates better by {gain:0.00}, {labels} labels", random => (Simulated(random, labels, 0.5, 10, gain), judge => judge == 9), runs);

        foreach (var (name, recorded, present) in Recorded())
        {
            var truth = Enumerable.Range(0, recorded.Says.Length).Select(recorded.Balanced).ToArray();
            // Which of two judges said what is drawn for each text: they are equal, and as alike as they were.
            await AddAsync($"recorded, {name}: made equal by swapping", random => (Swapped(random, Sampled(random, recorded, 200)), _ => false), runs);
            await AddAsync(
                FormattableString.Invariant($"recorded, {name}: from {present} ({truth[0]:0.000}; best {truth.Max():0.000})"),
                random => (Sampled(random, recorded, 200), judge => truth[judge] > truth[0]), runs);
            var best = Array.IndexOf(truth, truth.Max());
            await AddAsync(
                FormattableString.Invariant($"recorded, {name}: from the best ({truth[best]:0.000})"),
                random => (Sampled(random, recorded with { Says = [recorded.Says[best], .. recorded.Says.Where((_, i) => i != best)] }, 200), _ => false), runs);
        }
        return table;
    }

    static string Text(JsonNode? share) => share is null ? "-" : share.GetValue<double>().ToString("0.000", System.Globalization.CultureInfo.InvariantCulture);

    static async Task SearchAsync(RecordedJudges judges, Func<int, bool> isBetter, Tallies tallies)
    {
        var start = DateTimeOffset.UnixEpoch;
        var cases = judges.Passed.Select((passed, i) => new AlignmentCase(Guid.Empty, new(i), $"t{i}", "", passed, null, 0, false, start.AddMinutes(i))).ToArray();
        var result = await AlignmentTrial.RunAsync(LabelSplit.Of(cases), judges.Says.Length, (judge, of, _) =>
            Task.FromResult<IReadOnlyList<Outcome>>([.. of.Select(each => judges.Says[judge][each.Span.Value])]));
        tallies.Runs++;
        if (result.Promotes)
        {
            tallies.Ours++;
            tallies.OursBetter += isBetter(result.Chosen) ? 1 : 0;
        }
        tallies.Posterior += result.Test?.Probability >= PairedTest.Needed ? 1 : 0;

        // The control: the best on all labels, tested on those same labels.
        var scores = judges.Says.Select(says => JudgeCounts.Of(says.Zip(judges.Passed, (said, passed) => (said, passed))).Balanced).ToArray();
        var best = Array.IndexOf(scores, scores.Max());
        bool Right(int judge, int i) => judges.Says[judge][i] == (judges.Passed[i] ? Outcome.Pass : Outcome.Fail);
        var naive = PairedTest.Of([.. Enumerable.Range(0, judges.Passed.Length).Select(i => (1.0, Right(best, i), Right(0, i)))]);
        if (best != 0 && naive.Promotes)
        {
            tallies.Naive++;
            tallies.NaiveBetter += isBetter(best) ? 1 : 0;
        }
    }

    /// <summary>People pass 70 %; judges hit 85 % of the passes and of the fails, the last candidate so much more.</summary>
    static RecordedJudges Simulated(Random random, int labels, double shared, int judges, double gain)
    {
        const double hit = 0.85;
        var passed = Enumerable.Range(0, labels).Select(_ => random.NextDouble() < 0.7).ToArray();
        // A text is hard for all judges alike, or each judge errs by itself.
        var common = Enumerable.Range(0, labels).Select(_ => random.NextDouble() < shared ? random.NextDouble() : (double?)null).ToArray();
        return new(passed, [.. Enumerable.Range(0, judges).Select(judge => passed.Select((pass, i) =>
            ((common[i] ?? random.NextDouble()) < hit + (judge == judges - 1 ? gain : 0)) == pass ? Outcome.Pass : Outcome.Fail).ToArray())]);
    }

    static RecordedJudges Sampled(Random random, RecordedJudges judges, int texts)
    {
        var order = Enumerable.Range(0, judges.Passed.Length).ToArray();
        random.Shuffle(order);
        order = order[..Math.Min(texts, order.Length)];
        return new([.. order.Select(i => judges.Passed[i])], [.. judges.Says.Select(says => order.Select(i => says[i]).ToArray())]);
    }

    static RecordedJudges Swapped(Random random, RecordedJudges judges)
    {
        var says = judges.Says.Select(each => (Outcome[])each.Clone()).ToArray();
        for (var i = 0; i < judges.Passed.Length; i++)
        {
            var of = Enumerable.Range(0, says.Length).Select(judge => judges.Says[judge][i]).ToArray();
            random.Shuffle(of);
            for (var judge = 0; judge < says.Length; judge++)
                says[judge][i] = of[judge];
        }
        return judges with { Says = says };
    }

    /// <summary>LLMBar: "is the first answer the better one?", each prompt strategy a candidate; the first is the plain one without rules.</summary>
    static IEnumerable<(string Name, RecordedJudges Judges, string Present)> Recorded()
    {
        var items = SharedData.Lines("judge_llmbar", "items.jsonl").Select(row => (Id: row.GetProperty("id").GetString()!, Passed: row.GetProperty("human_label").GetInt32() == 1)).ToArray();
        var verdicts = SharedData.PlainCsv("judge_llmbar", "verdicts.csv").Where(row => row[3] == "12").GroupBy(row => row[1])
            .ToDictionary(judge => judge.Key, judge => judge.GroupBy(row => row[2]).ToDictionary(method => method.Key, method => method.ToDictionary(row => row[0], row => row[4])));
        foreach (var judge in (string[])["GPT-4", "ChatGPT", "LLaMA2", "PaLM2"])
        {
            if (!verdicts.TryGetValue(judge, out var methods) || !methods.ContainsKey("Vanilla_NoRules"))
                continue;
            var names = methods.Where(method => items.Count(item => method.Value.ContainsKey(item.Id)) == items.Length).Select(method => method.Key)
                .OrderByDescending(name => name == "Vanilla_NoRules").ThenBy(name => name, StringComparer.Ordinal).ToArray();
            yield return ($"LLMBar {judge}, {names.Length} prompts", new(
                [.. items.Select(item => item.Passed)],
                [.. names.Select(name => items.Select(item => methods[name][item.Id] switch { "1" => Outcome.Pass, "2" => Outcome.Fail, _ => Outcome.Error }).ToArray())]), names[0]);
        }
    }
}
