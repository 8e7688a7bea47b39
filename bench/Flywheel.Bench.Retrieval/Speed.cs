using System.Diagnostics;
using System.Numerics;
using System.Text.Json.Nodes;
using Flywheel.Core.Retrieval;

namespace Flywheel.Bench.Retrieval;

/// <summary>What a whole retrieval costs beside the bare scan of the same vectors, and what one more row costs.</summary>
/// <remarks>
/// Made-up vectors in clusters, 512 dimensions, approvals over 90 days, a fifth with disagreement, texts of ten words.
/// Both sides answer the same queries in turns in one thread, so a busy machine slows both; quote the ratio.
/// </remarks>
internal static class Speed
{
    private const int Dimensions = 512;
    private const int Queries = 400;
    private const int RecallQueries = 200;

    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static JsonNode Run(int[] sizes)
    {
        Console.Error.WriteLine($"{Dimensions} dimensions, k=8, one thread, bare scan by {BareScan.Path}");
        Console.Error.WriteLine(
            $"{"rows",8}{"bare p50",11}{"whole p50",11}{"p99",9}{"ratio",8}{"recall",9}{"ranked",9}{"insert us",11}{"found",7}{"bytes/row",11}");
        var results = new JsonArray();
        foreach (var size in sizes)
            results.Add((JsonNode)Measure(size));
        return new JsonObject { ["dimensions"] = Dimensions, ["k"] = 8, ["bare"] = BareScan.Path, ["sizes"] = results };
    }

    private static JsonObject Measure(int size)
    {
        var random = new Random(7);
        var centres = Enumerable.Range(0, 200).Select(_ => Direction(random)).ToArray();
        var vectors = Enumerable.Range(0, size).Select(_ => Near(centres, random)).ToArray();
        var rows = vectors.Select((vector, i) => Demonstration(i, vector, random)).ToArray();
        var index = new DemonstrationIndex("made up", Dimensions);
        foreach (var row in rows)
            index.Upsert(row);
        var bare = new BareScan(vectors);
        var policy = RetrievalPolicy.Default with { Count = 8 };
        var queries = Enumerable.Range(0, Queries)
            .Select(_ => new RetrievalQuery(Words(random), Near(centres, random), s_now)).ToArray();

        var positions = new int[10];
        var cosines = new float[10];
        for (var warm = 0; warm < 3; warm++)
        {
            foreach (var query in queries.AsSpan(0, Math.Min(Queries, 4_000_000 / size + 20)))
            {
                bare.Top10(query.Vector, positions, cosines);
                index.Retrieve(query, policy);
            }

            Thread.Sleep(100);
        }

        // Small sizes take microseconds: repeat, so that the clock is not what is measured.
        var repeats = Math.Max(1, 20_000 / size);
        var bareTimes = new List<double>();
        var wholeTimes = new List<double>();
        foreach (var query in queries)
        {
            bareTimes.Add(Microseconds(repeats, () => bare.Top10(query.Vector, positions, cosines)));
            wholeTimes.Add(Microseconds(repeats, () => index.Retrieve(query, policy)));
        }

        var (recall, ranked) = Recall(index, rows, queries.AsSpan(0, RecallQueries));
        var bytesARow = (double)index.MemoryBytes / size;
        var (insert, found) = Insert(index, centres, random);
        double barePart = Quantile(bareTimes, .5), whole = Quantile(wholeTimes, .5), tail = Quantile(wholeTimes, .99);
        Console.Error.WriteLine(
            $"{size,8}{barePart,11:f1}{whole,11:f1}{tail,9:f0}{whole / barePart,8:f2}{recall,9:f4}{ranked,9:f4}{insert,11:f2}{found,7:p0}{bytesARow,11:f0}");
        return new JsonObject
        {
            ["rows"] = size,
            ["bare_p50_us"] = barePart,
            ["whole_p50_us"] = whole,
            ["whole_p99_us"] = tail,
            ["ratio"] = whole / barePart,
            ["recall_at_10"] = recall,
            ["ranked_recall_at_10"] = ranked,
            ["insert_us"] = insert,
            ["inserted_found_at_once"] = found,
            ["bytes_per_row"] = bytesARow,
        };
    }

    /// <summary>Shares of the exact ten best that come back: by cosine, and by cosine weighed with recency and disagreement.</summary>
    private static (double Cosine, double Ranked) Recall(DemonstrationIndex index, IndexedDemonstration[] rows, ReadOnlySpan<RetrievalQuery> queries)
    {
        var byRelevance = RetrievalPolicy.Default with
        {
            Count = 10, SupportWeight = 0, DiversityWeight = 0, CoverageWeight = 0, MaximumPerEndUser = null,
        };
        int nearest = 0, ranked = 0;
        var cosines = new double[rows.Length];
        foreach (var query in queries)
        {
            for (var i = 0; i < rows.Length; i++)
                cosines[i] = Dot(rows[i].Vector, query.Vector);
            nearest += index.Nearest(query.Vector, 10).Select(n => n.Id).Intersect(Best(i => cosines[i])).Count();
            ranked += index.Retrieve(query, byRelevance).Chosen.Select(c => c.Id).Intersect(Best(Relevance)).Count();
        }

        return (nearest / 10.0 / queries.Length, ranked / 10.0 / queries.Length);

        double Relevance(int i) =>
            Math.Pow(Math.Max(0, cosines[i]), byRelevance.SimilarityExponent)
            * Math.Pow(2, -((s_now - rows[i].ApprovedAt) / byRelevance.HalfLife!.Value))
            * (1 + byRelevance.DisagreementWeight * rows[i].Disagreement);

        IEnumerable<Guid> Best(Func<int, double> score)
        {
            var best = new PriorityQueue<int, double>();
            for (var i = 0; i < rows.Length; i++)
            {
                if (best.Count < 10)
                    best.Enqueue(i, score(i));
                else
                    best.EnqueueDequeue(i, score(i));
            }

            return best.UnorderedItems.Select(item => rows[item.Element].Id);
        }
    }

    private static (double Microseconds, double Found) Insert(DemonstrationIndex index, float[][] centres, Random random)
    {
        var fresh = Enumerable.Range(0, 2_000).Select(i => Demonstration(10_000_000 + i, Near(centres, random), random)).ToArray();
        var times = new List<double>();
        // The first rounds are the compiler's.
        for (var round = 0; round < 5; round++)
        {
            times.Clear();
            foreach (var row in fresh)
                times.Add(Microseconds(1, () => index.Upsert(row)));
            foreach (var row in fresh)
                index.Remove(row.Id);
            Thread.Sleep(200);
        }

        var found = 0;
        foreach (var row in fresh.AsSpan(0, 100))
        {
            index.Upsert(row with { ApprovedAt = s_now });
            var chosen = index.Retrieve(new("", row.Vector, s_now), RetrievalPolicy.Default).Chosen;
            found += chosen.Any(c => c.Id == row.Id) ? 1 : 0;
        }

        return (Quantile(times, .5), found / 100.0);
    }

    private static IndexedDemonstration Demonstration(int i, float[] vector, Random random) => new(
        new Guid(i, 1, 2, new byte[8]), Words(random), $"label {random.Next(77)}", random.NextDouble() < .3,
        s_now.AddMinutes(-random.Next(90 * 24 * 60)), random.NextDouble() < .2 ? random.NextDouble() : 0,
        $"user {random.Next(20_000)}", vector);

    private static string Words(Random random) =>
        string.Join(' ', Enumerable.Range(0, 10).Select(_ => $"word{(int)(5_000 * Math.Pow(random.NextDouble(), 3))}"));

    private static float[] Near(float[][] centres, Random random)
    {
        var centre = centres[random.Next(centres.Length)];
        var vector = Direction(random);
        for (var i = 0; i < vector.Length; i++)
            vector[i] = 0.7f * centre[i] + 0.714f * vector[i];
        return Unit(vector);
    }

    private static float[] Direction(Random random)
    {
        var vector = new float[Dimensions];
        for (var i = 0; i < vector.Length; i++)
            vector[i] = (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() + random.NextDouble() - 2);
        return Unit(vector);
    }

    private static float[] Unit(float[] vector)
    {
        var length = Math.Sqrt(vector.Sum(x => (double)x * x));
        for (var i = 0; i < vector.Length; i++)
            vector[i] = (float)(vector[i] / length);
        return vector;
    }

    private static double Dot(float[] a, float[] b)
    {
        var sum = Vector<float>.Zero;
        for (var i = 0; i < a.Length; i += Vector<float>.Count)
            sum += new Vector<float>(a, i) * new Vector<float>(b, i);
        return Vector.Sum(sum);
    }

    private static double Microseconds(int repeats, Action action)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++)
            action();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / repeats;
    }

    private static double Quantile(List<double> values, double q)
    {
        var sorted = values.Order().ToList();
        return sorted[(int)(q * (sorted.Count - 1))];
    }
}
