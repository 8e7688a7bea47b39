using System.Diagnostics;
using System.Numerics;
using System.Text.Json.Nodes;
using Flywheel.Core.Retrieval;

namespace Flywheel.Bench.Retrieval;

/// <summary>What a whole retrieval costs beside the bare scan of the same vectors, and what one more row costs.</summary>
/// <remarks>
/// Approvals over 90 days, a fifth with disagreement, texts of ten words. Both sides answer the same queries in turns in one
/// thread, so a busy machine slows both: quote the ratio. The bare scan leaves nothing of the index in the caches; `alone` is
/// the same without it, and what to compare with a peer that runs alone too.
/// </remarks>
internal static class Speed
{
    private const int Queries = 400;
    private const int RecallQueries = 200;

    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <param name="peer">Folder with hnswlib-node, or null for no peer.</param>
    public static JsonNode Run(string name, int[] sizes, string? peer)
    {
        Console.Error.WriteLine($"{name}: {SpeedData.Dimensions} dimensions, k=8, one thread, bare scan by {BareScan.Path}");
        Console.Error.WriteLine(
            $"{"rows",9}{"bare p50",11}{"whole p50",11}{"p99",9}{"ratio",8}{"alone p50",11}{"p99",9}{"recall",9}{"ranked",9}{"insert us",11}{"found",7}{"bytes/row",11}");
        var results = new JsonArray();
        foreach (var size in sizes)
        {
            var data = SpeedData.Named(name, size, Queries);
            var result = Measure(data);
            if (peer is not null)
                result["hnswlib"] = Beside(HnswPeer.Measure(peer, data), data);
            results.Add((JsonNode)result);
        }

        return new JsonObject { ["data"] = name, ["dimensions"] = SpeedData.Dimensions, ["k"] = 8, ["bare"] = BareScan.Path,
            ["sizes"] = results };
    }

    private static JsonObject Measure(SpeedData data)
    {
        var random = new Random(8);
        var size = data.Rows.Length;
        var rows = data.Rows.Select((vector, i) => Demonstration(i, vector, random)).ToArray();
        var index = new DemonstrationIndex("made up", SpeedData.Dimensions);
        foreach (var row in rows)
            index.Upsert(row);
        var bare = new BareScan(data.Rows);
        var policy = RetrievalPolicy.Default with { Count = 8 };
        var queries = data.Queries.Select(vector => new RetrievalQuery(Words(random), vector, Now)).ToArray();

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
        List<double> bareTimes = [], wholeTimes = [], aloneTimes = [];
        foreach (var query in queries)
        {
            bareTimes.Add(Microseconds(repeats, () => bare.Top10(query.Vector, positions, cosines)));
            wholeTimes.Add(Microseconds(repeats, () => index.Retrieve(query, policy)));
        }

        foreach (var query in queries)
            aloneTimes.Add(Microseconds(repeats, () => index.Retrieve(query, policy)));

        var (recall, ranked) = Recall(index, rows, queries.AsSpan(0, RecallQueries));
        var bytesARow = (double)index.MemoryBytes / size;
        var (insert, found) = Insert(index, data.Queries, random);
        double barePart = Quantile(bareTimes, .5), whole = Quantile(wholeTimes, .5), alone = Quantile(aloneTimes, .5);
        Console.Error.WriteLine(
            $"{size,9}{barePart,11:f1}{whole,11:f1}{Quantile(wholeTimes, .99),9:f0}{whole / barePart,8:f2}{alone,11:f1}{Quantile(aloneTimes, .99),9:f0}{recall,9:f4}{ranked,9:f4}{insert,11:f2}{found,7:p0}{bytesARow,11:f0}");
        return new JsonObject
        {
            ["rows"] = size,
            ["bare_p50_us"] = barePart,
            ["whole_p50_us"] = whole,
            ["whole_p99_us"] = Quantile(wholeTimes, .99),
            ["ratio"] = whole / barePart,
            ["alone_p50_us"] = alone,
            ["alone_p99_us"] = Quantile(aloneTimes, .99),
            ["recall_at_10"] = recall,
            ["ranked_recall_at_10"] = ranked,
            ["insert_us"] = insert,
            ["inserted_found_at_once"] = found,
            ["bytes_per_row"] = bytesARow,
        };
    }

    /// <summary>The peer's answers as numbers: how many of the exact ten it found.</summary>
    private static JsonObject Beside(JsonNode peer, SpeedData data)
    {
        var result = new JsonObject { ["insert_us"] = (double)peer["insert_us"]! };
        var exact = data.Queries.Take(RecallQueries).Select(query => Best(data.Rows.Length, i => Dot(data.Rows[i], query))).ToList();
        foreach (var search in peer["searches"]!.AsArray())
        {
            var found = search!["found"]!.AsArray().Select(ids => ids!.AsArray().Select(id => (int)id!).ToList());
            var recall = exact.Zip(found, (best, ids) => best.Intersect(ids).Count()).Average() / 10;
            double p50 = (double)search["p50_us"]!, p99 = (double)search["p99_us"]!;
            result[$"ef_{search["ef"]}"] = new JsonObject { ["p50_us"] = p50, ["p99_us"] = p99, ["recall_at_10"] = recall };
            Console.Error.WriteLine(
                $"{"hnswlib ef",24}{(int)search["ef"]!,4}{p50,31:f1}{p99,9:f0}{recall,9:f4}{"",9}{(double)peer["insert_us"]!,11:f2}");
        }

        return result;
    }

    /// <summary>Shares of the exact ten best that come back: by cosine, and by cosine weighed with recency and disagreement.</summary>
    private static (double Cosine, double Ranked) Recall(
        DemonstrationIndex index, IndexedDemonstration[] rows, ReadOnlySpan<RetrievalQuery> queries)
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
            nearest += index.Nearest(query.Vector, 10).Select(n => n.Id).Intersect(Ids(i => cosines[i])).Count();
            ranked += index.Retrieve(query, byRelevance).Chosen.Select(c => c.Id).Intersect(Ids(Relevance)).Count();
        }

        return (nearest / 10.0 / queries.Length, ranked / 10.0 / queries.Length);

        double Relevance(int i) =>
            Math.Pow(Math.Max(0, cosines[i]), byRelevance.SimilarityExponent)
            * Math.Pow(2, -((Now - rows[i].ApprovedAt) / byRelevance.HalfLife!.Value))
            * (1 + byRelevance.DisagreementWeight * rows[i].Disagreement);

        IEnumerable<Guid> Ids(Func<int, double> score) => Best(rows.Length, score).Select(i => rows[i].Id);
    }

    private static List<int> Best(int rows, Func<int, double> score)
    {
        var best = new PriorityQueue<int, double>();
        for (var i = 0; i < rows; i++)
        {
            if (best.Count < 10)
                best.Enqueue(i, score(i));
            else
                best.EnqueueDequeue(i, score(i));
        }

        return [.. best.UnorderedItems.Select(item => item.Element)];
    }

    private static (double Microseconds, double Found) Insert(DemonstrationIndex index, float[][] vectors, Random random)
    {
        var fresh = Enumerable.Range(0, 2_000).Select(i => Demonstration(10_000_000 + i, vectors[i % vectors.Length], random)).ToArray();
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
            index.Upsert(row with { ApprovedAt = Now });
            var chosen = index.Retrieve(new("", row.Vector, Now), RetrievalPolicy.Default).Chosen;
            found += chosen.Any(c => c.Id == row.Id) ? 1 : 0;
        }

        return (Quantile(times, .5), found / 100.0);
    }

    private static IndexedDemonstration Demonstration(int i, float[] vector, Random random) => new(
        new Guid(i, 1, 2, new byte[8]), Words(random), $"label {random.Next(77)}", random.NextDouble() < .3,
        Now.AddMinutes(-random.Next(90 * 24 * 60)), random.NextDouble() < .2 ? random.NextDouble() : 0,
        $"user {random.Next(20_000)}", vector);

    private static string Words(Random random) =>
        string.Join(' ', Enumerable.Range(0, 10).Select(_ => $"word{(int)(5_000 * Math.Pow(random.NextDouble(), 3))}"));

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
