using CsCheck;
using Flywheel.Core.Retrieval;
using static Flywheel.Tests.Retrieval.Pool;

namespace Flywheel.Tests.Retrieval;

public class DemonstrationIndexTests
{
    private const int Dimensions = 40;

    /// <summary>Every query looks at codes first, and misses nothing for it.</summary>
    private static readonly Estimation Careful = new(FromBytes: 0, Deviations: 9, Few: 1_000);

    /// <summary>And at second bits before it looks at a vector.</summary>
    private static readonly Estimation Closer = Careful with { Few = 0 };

    private static readonly Gen<Estimation> Estimations = Gen.OneOfConst(Estimation.Default, Careful, Closer);

    /// <summary>An upsert of one of a few ids, or (vector 0) its removal.</summary>
    private static readonly Gen<(int Id, int Vector)[]> Streams =
        Gen.Select(Gen.Int[1, 150], Gen.Int[0, 3].SelectMany(kind => kind == 0 ? Gen.Const(0) : Gen.Int[1, 10_000])).Array[0, 900];

    [Fact]
    public void After_any_stream_of_changes_the_index_answers_as_a_plain_list_would() =>
        Gen.Select(Streams, Estimations).Sample((changes, estimation) =>
        {
            var index = new DemonstrationIndex("test", Dimensions, estimation);
            var list = new Dictionary<Guid, IndexedDemonstration>();
            foreach (var (number, seed) in changes)
                Apply(index, list, number, seed);

            Assert.Equal(list.Count, index.Count);
            Assert.Equal(list.Keys.Order(), index.Ids().Order());
            var query = Direction(new Random(changes.Length), Dimensions);
            var nearest = index.Nearest(query, 10);
            var expected = list.Values.Select(d => Dot(d.Vector, query)).OrderDescending().Take(10).ToList();
            Assert.Equal(expected.Count, nearest.Count);
            Assert.All(nearest.Zip(expected), pair => Assert.Equal(pair.Second, pair.First.Similarity, 1e-4));
            Assert.All(nearest, n => Assert.Equal(Dot(list[n.Id].Vector, query), n.Similarity, 1e-4));
        }, iter: 60);

    [Fact]
    public void Ranking_folds_recency_and_disagreement_in_exactly_and_never_shows_what_is_not_eligible() =>
        Gen.Select(Streams, Gen.Bool, Gen.Int[1, 12], Gen.Int[1, 90], Estimations)
            .Sample((changes, fixedOnly, count, halfLife, estimation) =>
        {
            var index = new DemonstrationIndex("test", Dimensions, estimation);
            var list = new Dictionary<Guid, IndexedDemonstration>();
            foreach (var (number, seed) in changes)
                Apply(index, list, number, seed);
            var policy = Plain with
            {
                Count = count, HalfLife = TimeSpan.FromDays(halfLife), MinimumSimilarity = 0.02,
                Strategy = fixedOnly ? RetrievalStrategy.SimilarFixed : RetrievalStrategy.Similar,
            };
            var query = Direction(new Random(changes.Length), Dimensions);

            var chosen = index.Retrieve(new("", query, Noon), policy).Chosen;

            var eligible = list.Values
                .Where(d => d.ApprovedAt <= Noon && (!fixedOnly || d.IsFixed) && Dot(d.Vector, query) >= 0.02)
                .ToDictionary(d => d.Id, d => Math.Pow(Dot(d.Vector, query), 4)
                    * Math.Pow(2, -(Noon - d.ApprovedAt).TotalDays / halfLife) * (1 + 0.5 * d.Disagreement));
            var expected = eligible.Values.OrderDescending().Take(count).ToList();
            Assert.InRange(chosen.Count, expected.Count - Borderline(list, query), expected.Count + Borderline(list, query));
            Assert.All(
                chosen.Select(c => c.Parts.Relevance).OrderDescending().Zip(expected),
                pair => Assert.Equal(pair.Second, pair.First, 0.002 * pair.Second + 1e-6));
            Assert.All(chosen, c => Assert.Contains(c.Id, list.Keys));
        }, iter: 60);

    [Theory]
    [InlineData(1, 4, 1, false)]
    [InlineData(4, 0.5, 30, false)]
    [InlineData(16, 2, 5, false)]
    [InlineData(2, 4, 10_000, false)]
    [InlineData(1, 4, 1, true)]
    [InlineData(4, 0.5, 30, true)]
    [InlineData(2, 4, 10_000, true)]
    public void The_best_of_many_rows_are_found_when_recency_and_disagreement_outweigh_similarity(
        double exponent, double disagreement, double halfLifeDays, bool estimated)
    {
        var random = new Random(11);
        var rows = Enumerable.Range(1, 6_000).Select(i => Drawn(i, random)).Where(row => row.ApprovedAt <= Noon).ToList();
        var index = new DemonstrationIndex("test", Dimensions, estimated ? Careful : Estimation.Default);
        rows.ForEach(index.Upsert);
        var policy = Plain with
        {
            Count = 10, SimilarityExponent = exponent, DisagreementWeight = disagreement, HalfLife = TimeSpan.FromDays(halfLifeDays),
        };

        for (var q = 0; q < 20; q++)
        {
            var query = Direction(random, Dimensions);

            var chosen = index.Retrieve(new("", query, Noon), policy).Chosen.Select(c => c.Parts.Relevance).OrderDescending();

            var expected = rows
                .Select(d => Math.Pow(Math.Max(0, Dot(d.Vector, query)), exponent)
                    * Math.Pow(2, -(Noon - d.ApprovedAt).TotalDays / halfLifeDays) * (1 + disagreement * d.Disagreement))
                .OrderDescending().Take(10);
            Assert.All(chosen.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 0.002 * pair.Second));
        }
    }

    [Fact]
    public void A_new_row_is_found_by_the_next_query_and_a_recalled_one_by_none()
    {
        var index = Index(Enumerable.Range(1, 300).Select(i => Row(i, $"message number {i}")));

        index.Upsert(Row(1000, "the parcel was crushed"));
        Assert.Equal([1000], index.Ask("crushed parcel", Plain with { Count = 1 }).Numbers());

        Assert.True(index.Remove(Id(1000)));
        Assert.DoesNotContain(1000, index.Ask("crushed parcel", Plain with { Count = 100 }).Numbers());
        Assert.False(index.Remove(Id(1000)));
        Assert.False(index.Contains(Id(1000)));
    }

    [Fact]
    public void An_upsert_replaces_text_answer_and_vector()
    {
        var index = Index(Row(1, "lost card", "card"), Row(2, "opening hours", "hours"));

        index.Upsert(Row(1, "annual fee", "fee"));

        Assert.Equal(2, index.Count);
        var chosen = Assert.Single(index.Ask("annual fee", Plain with { Count = 1 }).Chosen);
        Assert.Equal(("annual fee", "fee"), (chosen.Text, chosen.Answer));
        Assert.Equal(2, index.Lexicon.Documents);
    }

    [Fact]
    public void Rows_that_die_give_their_memory_back()
    {
        var index = new DemonstrationIndex("test", Dimensions);
        var random = new Random(1);
        for (var i = 0; i < 30_000; i++)
        {
            index.Upsert(Drawn(i, random));
            if (i >= 500)
                index.Remove(Id(i - 500));
        }

        Assert.Equal(500, index.Count);
        Assert.InRange(index.MemoryBytes, 1, 4 * 500 * 250);
    }

    [Fact]
    public void Removing_every_row_leaves_an_index_that_can_be_filled_again()
    {
        var index = Index(Enumerable.Range(1, 200).Select(i => Row(i, $"message {i}")));
        for (var i = 1; i <= 200; i++)
            index.Remove(Id(i));

        Assert.Empty(index.Ask("message", Plain).Chosen);
        index.Upsert(Row(7, "message 7"));
        Assert.Equal([7], index.Ask("message", Plain).Numbers());
    }

    [Fact]
    public void Quotas_and_limits_reach_rows_that_no_estimate_puts_near_the_best()
    {
        var random = new Random(5);
        var index = new DemonstrationIndex("test", Dimensions, Careful);
        for (var i = 1; i <= 3_000; i++)
            index.Upsert(Drawn(i, random) with { Answer = i % 1_000 == 0 ? "rare" : "common", EndUser = i % 1_000 == 0 ? null : "one" });
        var query = Direction(random, Dimensions);

        var quota = index.Retrieve(new("", query, Noon.AddDays(9)), Plain with { Count = 8, MinimumPerLabel = 3, MinimumSimilarity = -1 })
            .Chosen;
        var limit = index.Retrieve(new("", query, Noon.AddDays(9)), Plain with { Count = 8, MaximumPerEndUser = 1, MinimumSimilarity = -1 })
            .Chosen;

        Assert.Equal([1_000, 2_000, 3_000],
            quota.Where(row => row.Answer == "rare").Select(row => BitConverter.ToInt32(row.Id.ToByteArray())).Order());
        Assert.Equal(["common", "rare", "rare", "rare"], limit.Select(row => row.Answer).Order());
    }

    [Fact]
    public void Looking_at_codes_first_loses_next_to_nothing_and_too_little_care_would_show()
    {
        var always = Estimation.Default with { FromBytes = 0 };
        Assert.InRange(Recall(always), 0.995, 1);
        Assert.InRange(Recall(always with { Few = 0 }), 0.995, 1);
        Assert.InRange(Recall(always with { Deviations = -2 }), 0, 0.9);
        // Nothing is estimated there: the measure itself loses nothing.
        Assert.Equal(1, Recall(Estimation.Default with { FromBytes = int.MaxValue }));

        static double Recall(Estimation estimation)
        {
            const int dimensions = 128;
            var random = new Random(12);
            var index = new DemonstrationIndex("test", dimensions, estimation);
            var centres = Enumerable.Range(0, 40).Select(_ => Direction(random, dimensions)).ToArray();
            var rows = Enumerable.Range(1, 6_000).Select(i => Drawn(i, random) with { Vector = Near() }).ToList();
            foreach (var row in rows)
            {
                // Every other row dies: what is left is copied to other places.
                index.Upsert(Drawn(10_000 + index.Count, random) with { Vector = Near() });
                index.Upsert(row);
            }

            foreach (var id in index.Ids().Except(rows.Select(row => row.Id)))
                index.Remove(id);
            var found = 0;
            for (var q = 0; q < 100; q++)
            {
                var query = Near();
                var best = rows.OrderByDescending(row => Dot(row.Vector, query)).Take(10).Select(row => row.Id);
                found += index.Nearest(query, 10).Select(row => row.Id).Intersect(best).Count();
            }

            return found / 1_000.0;

            float[] Near()
            {
                var centre = centres[random.Next(centres.Length)];
                var sum = Direction(random, dimensions).Zip(centre, (x, y) => 0.8f * x + y).ToArray();
                var length = (float)Math.Sqrt(Dot(sum, sum));
                return [.. sum.Select(x => x / length)];
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Readers_see_every_row_exactly_once_while_a_writer_replaces_and_compacts(bool estimated)
    {
        const int rows = 400;
        var index = new DemonstrationIndex("test", Dimensions, estimated ? Careful : Estimation.Default);
        var random = new Random(3);
        for (var i = 0; i < rows; i++)
            index.Upsert(Drawn(i, random));
        using var stop = new CancellationTokenSource();
        var reads = 0;

        var writer = Task.Run(() =>
        {
            var own = new Random(4);
            for (var change = 0; (change < 40_000 || Volatile.Read(ref reads) < 50) && !stop.IsCancellationRequested; change++)
            {
                index.Upsert(Drawn(own.Next(rows), own));
                // Rows that come and go beside them make segments die.
                index.Upsert(Drawn(rows + own.Next(300), own));
                index.Remove(Id(rows + own.Next(300)));
            }

            stop.Cancel();
        }, TestContext.Current.CancellationToken);
        var readers = Enumerable.Range(0, 2).Select(r => Task.Run(() =>
        {
            var own = new Random(r);
            try
            {
                while (!stop.IsCancellationRequested)
                {
                    var seen = index.Nearest(Direction(own, Dimensions), 2_000).Select(n => n.Id).ToList();
                    Assert.Equal(seen.Count, seen.Distinct().Count());
                    Assert.Equal(rows, seen.Count(id => BitConverter.ToInt32(id.ToByteArray()) < rows));
                    Interlocked.Increment(ref reads);
                }
            }
            finally
            {
                stop.Cancel();
            }
        }, TestContext.Current.CancellationToken)).ToArray();

        await Task.WhenAll([writer, .. readers]);
    }

    [Fact]
    public void Vectors_of_another_length_or_with_a_hole_are_refused()
    {
        var index = new DemonstrationIndex("test", 3);

        Assert.Throws<ArgumentException>(() => index.Upsert(Drawn(1, new Random(1)) with { Vector = [1, 0] }));
        Assert.Throws<ArgumentException>(() => index.Upsert(Drawn(1, new Random(1)) with { Vector = [1, 0, float.NaN] }));
        Assert.Throws<ArgumentException>(() => index.Nearest([1, 0], 1));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => index.Upsert(Drawn(1, new Random(1)) with { Vector = [1, 0, 0], Disagreement = 1.5 }));
        Assert.Equal(0, index.Count);
    }

    private static void Apply(DemonstrationIndex index, Dictionary<Guid, IndexedDemonstration> list, int number, int seed)
    {
        if (seed == 0)
        {
            Assert.Equal(list.Remove(Id(number)), index.Remove(Id(number)));
            return;
        }

        var row = Drawn(number, new Random(seed));
        list[row.Id] = row;
        index.Upsert(row);
    }

    private static IndexedDemonstration Drawn(int number, Random random) => new(
        Id(number), $"text {number}", random.Next(2) == 0 ? "pass" : "fail", random.Next(3) == 0, Noon.AddHours(random.Next(-2_000, 100)),
        random.Next(3) == 0 ? random.NextDouble() : 0, null, Direction(random, Dimensions));

    /// <summary>Rows so near the minimum similarity that rounding decides.</summary>
    private static int Borderline(Dictionary<Guid, IndexedDemonstration> list, float[] query) =>
        list.Values.Count(d => Math.Abs(Dot(d.Vector, query) - 0.02) < 1e-4);
}
