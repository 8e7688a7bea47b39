using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Flywheel.Core.Statistics;
using Flywheel.Core;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Retrieval;
using Flywheel.Server.Files;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Cli;

/// <summary>Retrieval on plain files, so that it can be used and checked by itself.</summary>
static class RetrieveCommand
{
    const int EmbedAtOnce = 256;

    static readonly string[] Embedders = ["lexical", "hybrid", "use-lite", "onnx", "openai", "ollama"];

    sealed record Example(
        string Id, string Text, string? Label, bool Fixed, double Disagreement, DateTimeOffset ApprovedAt, string? EndUser);

    sealed record Chosen(string Id, double Score, IReadOnlyDictionary<string, double> Parts);

    sealed record Result(string Id, IReadOnlyList<Chosen> Chosen, string? Label, double? Confidence);

    sealed record Summary(
        double? Accuracy, Interval? Interval, double UsPerQuery, double UsPerSearch, double UsPerDemonstration, int Queries,
        int Demonstrations, int K, string Strategy,
        string Embedder, double? Temperature);

    public static Command Create()
    {
        var demos = new Option<string>(
            "--demos") { Description =
                "Demonstrations: JSONL or CSV rows {id, text, label, fixed?, disagreement?, approved_at?, end_user?}", Required = true };
        var queries = new Option<string>("--queries") { Description = "Queries: JSONL or CSV rows {id, text, label?}", Required = true };
        var k = new Option<int?>("--k") { Description = "Number of demonstrations per query (default: 8)" };
        var strategy = new Option<string?>("--strategy") { Description = "similar, similar-fixed, both or recent (default: similar)" };
        var embedder = new Option<string?>(
            "--embedder") { Description =
                "lexical, hybrid, use-lite, onnx, openai or ollama (default: the setting; else hybrid if installed, else lexical)" };
        var halfLife = new Option<double?>(
            "--half-life-days") { Description =
                "Days since approval after which a demonstration counts half; 0: age does not count (default: 30)" };
        var diversity = new Option<double?>(
            "--diversity") { Description = "Weight against demonstrations that resemble each other, 0 to 2 (default: 0.1)" };
        var disagreement = new Option<double?>(
            "--disagreement") { Description = "Weight of demonstrations that the model got wrong, 0 to 4 (default: 0.5)" };
        var json = CommonOptions.Json();
        var command = new Command(
            "retrieve", "Find demonstrations for queries in files, with the parts of each score and the label that they vote for")
            { demos, queries, k, strategy, embedder, halfLife, diversity, disagreement, json };
        command.SetAction(async (parsed, ct) =>
        {
            RetrievalPolicy policy;
            try
            {
                policy = RetrievalPolicies.From(new RetrievalSettings(
                    parsed.GetValue(strategy), parsed.GetValue(k), parsed.GetValue(halfLife), parsed.GetValue(disagreement),
                    parsed.GetValue(diversity)));
            }
            catch (FlywheelException e)
            {
                throw new UsageException(e.Message);
            }
            var flags = new Dictionary<string, string?>();
            if (parsed.GetValue(embedder) is { } provider)
                flags["Embeddings:Provider"] = Embedders.Contains(provider)
                    ? provider
                    : throw new UsageException($"--embedder is `{provider}`: use {string.Join(", ", Embedders[..^1])} or {Embedders[^1]}.");
            using var models = EngineServices.OpenModels(Settings.Load(flags));
            if (policy.Count == 0)
                throw new UsageException("--k must be a whole number from 1 to 100.");
            var now = TimeProvider.System.GetUtcNow();
            var examples = Read(parsed.GetValue(demos)!, now);
            if (examples.Any(example => example.Label is null))
                throw new FlywheelException($"{parsed.GetValue(demos)}: an example has no `label`.");
            var asked = Read(parsed.GetValue(queries)!, now);
            foreach (var (path, rows) in new[] { (parsed.GetValue(demos)!, examples), (parsed.GetValue(queries)!, asked) })
                if (rows.Count == 0)
                    throw new FlywheelException($"{path} has no rows: give JSONL or CSV rows {{id, text, label}}.");
            var quiet = parsed.GetValue(json);
            var (results, summary) = await Output.ProgressAsync("Retrieving", quiet, report =>
                RunAsync(models.Embedder(), examples, asked, policy, now, report, ct));
            if (quiet)
                Output.JsonLine(new { results, summary });
            else
                Show(results, summary, asked, examples);
            return ExitCodes.Ok;
        });
        return command;
    }

    static async Task<(IReadOnlyList<Result>, Summary)> RunAsync(
        IEmbedder embedder, List<Example> examples, List<Example> queries, RetrievalPolicy policy, DateTimeOffset now,
        Action<long, long> report, CancellationToken ct)
    {
        var index = new DemonstrationIndex(embedder.Fingerprint, embedder.Dimensions);
        var byId = new Dictionary<Guid, Example>(examples.Count);
        var total = examples.Count + queries.Count;
        var started = Stopwatch.GetTimestamp();
        for (var at = 0; at < examples.Count; at += EmbedAtOnce)
        {
            var batch = examples.GetRange(at, Math.Min(EmbedAtOnce, examples.Count - at));
            var vectors = await embedder.EmbedDocumentsAsync([.. batch.Select(example => example.Text)], ct);
            for (var i = 0; i < batch.Count; i++)
            {
                var it = batch[i];
                var id = new Guid(at + i, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]);
                byId[id] = it;
                index.Upsert(new IndexedDemonstration(
                    id, it.Text, it.Label!, it.Fixed, it.ApprovedAt, it.Disagreement, it.EndUser, vectors[i]));
            }
            report(at, total);
        }
        var perExample = Stopwatch.GetElapsedTime(started).TotalMicroseconds / Math.Max(1, examples.Count);

        var temperature = SoftmaxVote.LearnTemperature(index, Math.Max(1, policy.Count));
        var results = new List<Result>(queries.Count);
        double searching = 0;
        started = Stopwatch.GetTimestamp();
        foreach (var query in queries)
        {
            var vector = await embedder.EmbedQueryAsync(query.Text, index.Lexicon, ct);
            var searchStarted = Stopwatch.GetTimestamp();
            var found = index.Retrieve(new RetrievalQuery(query.Text, vector, now), policy);
            var vote = SoftmaxVote.Of(found.Chosen.Select(it => (it.Answer, it.Parts.Similarity)), temperature);
            searching += Stopwatch.GetElapsedTime(searchStarted).TotalMicroseconds;
            results.Add(new Result(
                query.Id, [.. found.Chosen.Select(it => new Chosen(byId[it.Id].Id, it.Parts.Score, Parts(it)))], vote?.Answer,
                vote?.Share));
            report(examples.Count + results.Count, total);
        }
        var perQuery = Stopwatch.GetElapsedTime(started).TotalMicroseconds / Math.Max(1, queries.Count);

        var known = queries.Zip(results).Where(pair => pair.First.Label is not null).ToArray();
        var right = known.Count(pair => pair.First.Label == pair.Second.Label);
        return (results, new Summary(
            known.Length == 0 ? null : (double)right / known.Length, known.Length == 0 ? null : Interval.Share(right, known.Length),
            perQuery,
            searching / Math.Max(1, queries.Count), perExample, queries.Count, examples.Count, policy.Count, policy.Strategy.WireName(),
            embedder.Fingerprint, temperature));
    }

    static Dictionary<string, double> Parts(RetrievedDemonstration it) =>
        Engine.Loop.EmbeddedLoop.Chosen(it).Parts.ToDictionary(part => part.Name, part => part.Value);

    static List<Example> Read(string path, DateTimeOffset now)
    {
        var rows = new List<Example>();
        foreach (var (line, row) in RowFile.Read(path))
        {
            var approved = now;
            if (JsonFields.Text(row, "approved_at") is { } text
                && !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out approved))
                throw new FlywheelException($"{path}, line {line}: `approved_at` is `{text}`, no ISO-8601 time.");
            var disagreement = 0.0;
            if (JsonFields.Text(row, "disagreement") is { } number
                && !(double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out disagreement)
                && disagreement is >= 0 and <= 1))
                throw new FlywheelException($"{path}, line {line}: `disagreement` is `{number}`, no number from 0 to 1.");
            rows.Add(new Example(
                JsonFields.Text(row, "id") ?? line.ToString(CultureInfo.InvariantCulture), RowFile.Required(row, "text", path, line),
                JsonFields.Text(row, "label"),
                JsonFields.Text(row, "fixed") is "true" or "True" or "1", disagreement, approved, JsonFields.Text(row, "end_user")));
        }
        return rows;
    }

    static void Show(IReadOnlyList<Result> results, Summary summary, List<Example> queries, List<Example> examples)
    {
        const int Shown = 5;
        var texts = examples.GroupBy(example => example.Id).ToDictionary(group => group.Key, group => group.First());
        for (var i = 0; i < Math.Min(Shown, results.Count); i++)
        {
            Console.WriteLine($"{queries[i].Id}  {Short(queries[i].Text)}");
            Console.WriteLine($"   votes for `{results[i].Label ?? "nothing"}`"
                + (queries[i].Label is { } expected ? expected == results[i].Label ? " (right)" : $" (expected `{expected}`)" : ""));
            foreach (var chosen in results[i].Chosen.Reverse())
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"   {chosen.Score:0.000}  similarity {chosen.Parts["similarity"]:0.00}  {texts[chosen.Id].Label,-28} "
                        + $"{Short(texts[chosen.Id].Text)}"));
        }
        if (results.Count > Shown)
            Console.WriteLine($"... and {results.Count - Shown:N0} more queries (--json gives all).");
        if (summary is { Accuracy: { } accuracy, Interval: { } interval })
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Accuracy {100 * accuracy:0.0} % ({100 * interval.Low:0.0}-{100 * interval.High:0.0}) on {interval.N:N0} labelled "
                    + $"queries."));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{summary.UsPerQuery:N0} us a query, {summary.UsPerSearch:N0} of them searching {summary.Demonstrations:N0} examples; "
                + $"embedder {summary.Embedder}."));
    }

    static string Short(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= 90 ? line : string.Concat(line.AsSpan(0, 89), "…");
    }
}
