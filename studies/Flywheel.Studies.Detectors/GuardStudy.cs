using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Models;
using Flywheel.Storage;
using Flywheel.Validators;
using Flywheel.Validators.Detection;
using Microsoft.Data.Sqlite;

namespace Flywheel.Studies.Detectors;

/// <summary>Milliseconds that all seven guards of inputs take together, as <c>POST /guard</c> asks them, each text once.</summary>
/// <remarks>Pin it to one core (<c>taskset -c 0</c>). Each text is new to the guards: the first time counts, nothing is the best of several.</remarks>
static class GuardStudy
{
    const int Characters = 2048;

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("flywheel-guards-");
        try
        {
            await RunAsync(folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static async Task RunAsync(string folder)
    {
        var known = StudyData.Csv("intents_clinc150/train.csv").Where(row => row["intent"] != "oos").ToArray();
        var answers = string.Join(' ', StudyData.Jsonl("labels_halueval/responses.jsonl").Select(row => row["response"]));
        var ordinary = Enumerable.Range(0, answers.Length / Characters).Select(i => answers.Substring(i * Characters, Characters - 60)).ToArray();
        var texts = ordinary.Select((text, i) => string.Create(CultureInfo.InvariantCulture,
            $"{text} My order is ORD-{1000 + i % 500}, mail me at ann{i}@example.com.")).ToArray();
        var attacks = AttackCorpus.Attacks().Where(row => row.Text.Length > 1500).Select(row => row.Text[..Math.Min(Characters, row.Text.Length)]).ToArray();

        var shop = Path.Combine(folder, "shop.db");
        await FillAsync(shop);
        await using var store = await FlywheelStore.OpenAsync("sqlite:" + Path.Combine(folder, "guards.db"), null, default);
        await store.MigrateAsync(default);
        var registry = EngineValidators.Registry(new TokenCounter(), further: LeafValidators.All(new()
        {
            Tokens = new TokenCounter(),
            Detection = new DetectionServices(() => new LexicalEmbedder(), TimeProvider.System),
            Databases = new ApplicationDatabases([KeyValuePair.Create("shop", "sqlite:" + shop)]),
        }));
        var all = Guards(known).ToArray();
        foreach (var guards in all.Select(guard => new[] { guard }).Append(all))
        {
            foreach (var guard in all)
                await store.Metrics.AddAsync(ProjectId.Default, guard with { State = guards.Contains(guard) ? MetricState.Active : MetricState.Retired }, expectNew: false, DateTimeOffset.UtcNow, default);
            var input = new InputGuard(new ActiveGuards(store.Metrics, TimeProvider.System), registry, new PlatformFaults(), TimeProvider.System);
            var name = guards.Length == 1 ? guards[0].Name : "all seven";
            await MeasureAsync($"{name}, 2 KB", input, texts, guards.Length);
            if (guards.Length > 1)
                await MeasureAsync($"{name}, attacks of 1.5 to 2 KB", input, attacks, guards.Length);
        }
    }

    static IEnumerable<NewMetric> Guards(Dictionary<string, string>[] known)
    {
        NewMetric Guard(string kind, object settings, GuardAction action = GuardAction.Block) => new(
            kind, "?", MetricSubject.Input, null, null, 1, new ValidatorSpec(kind, JsonSerializer.SerializeToElement(settings)), "study", MetricRole.Guard, OnFail: action);
        yield return Guard("input.sensitive", new { }, GuardAction.Redact);
        yield return Guard("input.adversarial", new { }, GuardAction.Flag);
        yield return Guard("input.language", new { languages = new[] { "en", "de" } }, GuardAction.Flag);
        yield return Guard("input.complexity", new { }, GuardAction.Flag);
        yield return Guard("input.topic", new { topics = known.Select(row => new { topic = row["intent"], text = row["text"] }) }, GuardAction.Flag);
        yield return Guard("input.anomaly", new { reference = known.Select(row => row["text"]) }, GuardAction.Flag);
        yield return Guard("input.owner", new
        {
            patterns = new { order = "ORD-[0-9]{4,}" }, database = "shop",
            query = "SELECT 1 FROM orders WHERE number = @entity AND customer = @user",
        }, GuardAction.Flag);
    }

    static async Task FillAsync(string path)
    {
        await using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText =
            """
            CREATE TABLE orders (number TEXT PRIMARY KEY, customer TEXT NOT NULL);
            WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
            INSERT INTO orders SELECT 'ORD-' || i, 'ann' FROM n;
            """;
        await command.ExecuteNonQueryAsync();
    }

    static async Task MeasureAsync(string what, InputGuard guard, string[] texts, int guards)
    {
        GuardQuery Query(string text) => new("answer", NodeKind.Writer, text, EndUser: "ann");
        foreach (var text in texts.Take(200))
            await guard.CheckAsync(ProjectId.Default, Query(text + " "), default);
        var times = new List<double>();
        var cpu = Environment.CpuUsage.TotalTime;
        foreach (var text in texts)
        {
            var started = Stopwatch.GetTimestamp();
            var answer = await guard.CheckAsync(ProjectId.Default, Query(text), default);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            if (answer.Findings.Count != guards || answer.Findings.FirstOrDefault(finding => finding.Finding.Outcome is Outcome.Error or Outcome.Skipped) is { } idle)
                throw new InvalidOperationException($"A guard did not check: {string.Join("; ", answer.Findings.Select(finding => $"{finding.Metric} {finding.Finding.Outcome} {finding.Finding.Reason}"))}");
        }
        cpu = Environment.CpuUsage.TotalTime - cpu;
        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what,-36} p50 {times[times.Count / 2],7:0.000} ms  p99 {times[times.Count * 99 / 100],7:0.000} ms  max {times[^1],7:0.000} ms  CPU {cpu.TotalMilliseconds / texts.Length,7:0.000} ms a text  n {texts.Length}"));
    }
}
