using System.Text.Json.Nodes;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;

namespace Flywheel.Studies;

/// <summary>How many failures does a person find for the labels spent? In the review queue's order, at random, and knowing them all.</summary>
static class FailuresStudy
{
    const int Batch = 10;
    static readonly int[] At = [50, 100, 200, 400, 800];

    public static JsonArray Run(string set, int runs)
    {
        var rows = LabelledTexts.Of(set);
        var embedder = new LexicalEmbedder();
        var items = rows.Select(row => ForecastItem.Of(
            row.Input, embedder.EmbedDocument(row.Input), row.Output, embedder.EmbedDocument(row.Output), null, null)).ToArray();
        var failures = rows.Count(row => !row.Passed);
        Console.Error.WriteLine(FormattableString.Invariant($"{set}: {rows.Length:N0} answers, {failures} failures ({(double)failures / rows.Length:0.0%}); failures found, mean of {runs} runs and 95 % interval of the mean"));
        var strategies = new (string Name, Func<Random, int[]> Order)[]
        {
            ("random", random => Shuffled(rows.Length, random)),
            ("ours, all by rank", random => Ours(rows, items, random, 0)),
            ("ours, 20 % drawn", random => Ours(rows, items, random, 0.2)),
            ("oracle", random => [.. Shuffled(rows.Length, random).OrderBy(i => rows[i].Passed)]),
        };
        var table = new JsonArray();
        foreach (var (name, order) in strategies)
        {
            var found = At.Select(_ => new List<double>()).ToArray();
            for (var run = 0; run < runs; run++)
            {
                var looked = order(new Random(run + 1));
                for (var at = 0; at < At.Length; at++)
                    found[at].Add(looked.Take(At[at]).Count(i => !rows[i].Passed));
            }
            var cells = new JsonArray();
            var line = $"{name,-20}";
            for (var at = 0; at < At.Length && At[at] < rows.Length; at++)
            {
                var mean = found[at].Average();
                var margin = 1.96 * Math.Sqrt(found[at].Sum(x => (x - mean) * (x - mean)) / Math.Max(1, runs - 1) / runs);
                line += FormattableString.Invariant($" {At[at],4}: {mean,6:0.0} ± {margin,4:0.0}");
                cells.Add(new JsonObject { ["labels"] = At[at], ["found"] = mean, ["margin"] = margin });
            }
            Console.Error.WriteLine(line);
            table.Add(new JsonObject { ["set"] = set, ["strategy"] = name, ["found"] = cells });
        }
        return table;
    }

    static int[] Ours(LabelledText[] rows, ForecastItem[] items, Random random, double explore)
    {
        var waiting = Shuffled(rows.Length, random).ToList();
        var looked = new List<int>();
        while (waiting.Count > 0 && looked.Count < At[^1])
        {
            var ranked = FixingOrder.Of([.. looked.Select(i => items[i])], [.. looked.Select(i => !rows[i].Passed)], [.. waiting.Select(i => items[i])]);
            var drawn = ranked is null ? Batch : (int)Math.Round(explore * Batch);
            // Waiting items stand in random order: taking them from the end is drawing them.
            var next = (ranked ?? []).Take(Batch - drawn).Select(it => waiting[it.Index]).ToList();
            next.AddRange(waiting.AsEnumerable().Reverse().Except(next).Take(drawn));
            looked.AddRange(next);
            waiting.RemoveAll(next.Contains);
        }
        return [.. looked];
    }

    static int[] Shuffled(int count, Random random)
    {
        var order = Enumerable.Range(0, count).ToArray();
        random.Shuffle(order);
        return order;
    }
}
