using CsCheck;
using Flywheel.Core.Review;
using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Review;

public sealed class LabelDrawTests
{
    const int Dimensions = 16;

    /// <summary>
    /// Traffic in neighbourhoods of their own failure rates, judged by a judge who misses half of the failures, in batches.
    /// </summary>
    sealed class Traffic(int seed, int rows)
    {
        readonly Random _random = new(seed);
        readonly float[][] _centres = [.. Enumerable.Range(0, 8).Select(i => Unit(new Random(i)))];

        static float[] Unit(Random random)
        {
            var vector = Enumerable.Range(0, Dimensions).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
            var length = MathF.Sqrt(vector.Sum(x => x * x));
            return [.. vector.Select(x => x / length)];
        }

        public (DrawCandidate Candidate, bool Passes)[] Rows() =>
        [
            .. Enumerable.Range(0, rows).Select(_ =>
            {
                var at = _random.Next(8);
                // Neighbourhoods 0 and 1 fail often, the others seldom; the forecast knows it roughly.
                var passes = _random.NextDouble() < (at < 2 ? 0.5 : 0.95);
                var judge = passes ? _random.NextDouble() < 0.93 : _random.NextDouble() < 0.5;
                return (new DrawCandidate(judge, at < 2 ? 0.6 : 0.93, at < 4 ? 0.2 : 0.6, _centres[at]), passes);
            }),
        ];
    }

    /// <summary>Draws batch after batch, as the planner does, with the audit beside it; labels what was drawn.</summary>
    static List<JudgedRow> Label((DrawCandidate Candidate, bool Passes)[] all, double audited, int budget, int seed, double answered = 1)
    {
        var random = new Random(seed);
        var rows = new List<JudgedRow>();
        foreach (var batch in all.Chunk(400))
        {
            var candidates = batch.Select(row => row.Candidate with { Already = random.NextDouble() < audited ? audited : 0 }).ToArray();
            var chances = LabelDraw.Chances(candidates, RateEstimate.Cells(rows, weighted: false), budget, audited);
            var drawn = LabelDraw.Draw(candidates, chances, audited, random).ToHashSet();
            for (var i = 0; i < batch.Length; i++)
            {
                var isLabelled = (drawn.Contains(i) || candidates[i].Already > 0) && random.NextDouble() < answered;
                rows.Add(new JudgedRow(candidates[i].Verdict, isLabelled ? batch[i].Passes : null, isLabelled ? chances[i] : null));
            }
        }
        return rows;
    }

    [Theory]
    [InlineData(0.02, 25, 1)]
    [InlineData(0, 12, 1)]
    [InlineData(0.02, 25, 0.5)]
    public void The_true_rate_is_found_from_what_was_drawn_and_its_interval_holds_it(double audited, int budget, double answered)
    {
        double truth = 0, ours = 0, naive = 0;
        int held = 0, naiveHeld = 0;
        const int Runs = 200;
        for (var run = 0; run < Runs; run++)
        {
            var all = new Traffic(run, 4_000).Rows();
            var rows = Label(all, audited, budget, run + 1_000, answered);
            var passing = all.Average(row => row.Passes ? 1.0 : 0);
            var estimate = RateEstimate.Of(rows, run).Posterior.PassRate;
            // The control: the same labels taken for a random sample.
            var taken = RateEstimate.Of([.. rows.Where(row => row.Human is not null).Select(row => new JudgedRow(null, row.Human))])
                .HumanOnly;
            truth += passing;
            ours += estimate.Median;
            naive += taken.Median;
            held += estimate.Low <= passing && passing <= estimate.High ? 1 : 0;
            naiveHeld += taken.Low <= passing && passing <= taken.High ? 1 : 0;
        }

        Assert.InRange(Math.Abs(ours - truth) / Runs, 0, 0.006);
        Assert.InRange(held / (double)Runs, 0.92, 1);
        Assert.True((truth - naive) / Runs > 0.02, $"the control is off by {(truth - naive) / Runs:0.000} only");
        Assert.True(naiveHeld < held, $"the control holds the truth {naiveHeld} times of {Runs}, ours {held}");
    }

    [Fact]
    public void Each_item_is_drawn_as_often_as_its_chance_says()
    {
        var all = new Traffic(3, 150).Rows().Select(row => row.Candidate).ToArray();
        var chances = LabelDraw.Chances(all, [], 30, 0.05);
        var times = new int[all.Length];
        const int Runs = 4_000;
        for (var run = 0; run < Runs; run++)
        {
            var random = new Random(run);
            var candidates = all.Select(candidate => candidate with { Already = random.NextDouble() < 0.05 ? 0.05 : 0 }).ToArray();
            foreach (var i in LabelDraw.Draw(candidates, chances, 0.05, random)
                .Concat(Enumerable.Range(0, all.Length).Where(i => candidates[i].Already > 0)))
                times[i]++;
        }

        // Five standard errors, 150 items.
        for (var i = 0; i < all.Length; i++)
            Assert.InRange(times[i] / (double)Runs - chances[i], -5 * Math.Sqrt(0.25 / Runs), 5 * Math.Sqrt(0.25 / Runs));
    }

    [Fact]
    public void A_batch_gives_out_its_budget_mixed_and_unlike_items_more_of_it_and_none_nothing() =>
        Gen.Select(Gen.Int[1, 600], Gen.Int[1, 60], Gen.Int[0, 999]).Sample((rows, budget, seed) =>
        {
            var all = new Traffic(seed, rows).Rows().Select(row => row.Candidate).ToArray();
            var chances = LabelDraw.Chances(all, [new(true, null, 900, 49, 1), new(false, null, 100, 10, 10)], budget, 0);
            var drawn = LabelDraw.Draw(all, chances, 0, new Random(seed));

            Assert.Equal(Math.Min(rows, budget), chances.Sum(), 1e-3 * rows);
            Assert.InRange(drawn.Count, Math.Floor(chances.Sum() - 1e-6), Math.Ceiling(chances.Sum() + 1e-6));
            Assert.Equal(drawn.Count, drawn.Distinct().Count());
            // An even tenth of the half that audits bounds every weight.
            Assert.All(chances, chance => Assert.InRange(chance, Math.Min(1, 0.1 * budget / rows), 1));
            foreach (var verdict in all.Zip(chances).GroupBy(it => it.First.Verdict))
            {
                var certain = verdict.Where(it => it.First.Pass > 0.9 && it.First.Novelty < 0.5).Select(it => it.Second).ToArray();
                var mixed = verdict.Where(it => it.First.Pass < 0.9).Select(it => it.Second).ToArray();
                if (certain.Length > 0 && mixed.Length > 0)
                    Assert.True(mixed.Min() >= certain.Max() - 1e-9);
            }
        });

    [Fact]
    public void Near_items_are_seldom_drawn_together()
    {
        var all = new Traffic(5, 400).Rows().Select(row => row.Candidate with { Verdict = true, Pass = 0.8, Novelty = 0.5 }).ToArray();
        var chances = LabelDraw.Chances(all, [], 8, 0);

        double Hoods(Func<int, IEnumerable<int>> draw) =>
            Enumerable.Range(0, 200)
                .Average(run => draw(run).Select(i => Array.IndexOf(all[i].Vector, all[i].Vector.Max()) * 100 + all[i].Vector[0]).Distinct()
                .Count());
        var ours = Hoods(run => LabelDraw.Draw(all, chances, 0, new Random(run)));
        var even = Hoods(run => new Random(run).GetItems(Enumerable.Range(0, all.Length).ToArray(), 8));

        // Eight neighbourhoods, eight draws: chance alone finds 8 * (1 - (7/8)^8) = 5.3 of them.
        Assert.InRange(even, 4.9, 5.7);
        Assert.True(ours > 7, $"{ours:0.0} of 8 neighbourhoods");
    }
}
