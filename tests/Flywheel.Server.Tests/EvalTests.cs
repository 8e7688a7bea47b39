using System.Text.Json;
using System.Xml.Linq;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Jobs;
using Flywheel.Server.Files;
using Flywheel.Storage;

namespace Flywheel.Server.Tests;

public sealed class EvalTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("flywheel-eval-").FullName;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Below_the_threshold_the_exit_code_is_100()
    {
        var data = Write("rows.jsonl",
            [.. Enumerable.Range(0, 20).Select(i => $$"""{"id":"r{{i}}","output":"{{(i < 18 ? "fine" : "we delve")}}"}""")]);
        var set = Write("set.json", """[{"name":"plain","criterion":"Plain?","validator":{"kind":"absent","words":["delve"]}}]""");

        Assert.Equal(0, await EvalAsync(data, set, "--fail-under", "plain=0.9"));
        Assert.Equal(100, await EvalAsync(data, set, "--fail-under", "plain=0.91"));
        Assert.Equal(2, await EvalAsync(data, set, "--fail-under", "other=0.5"));
        Assert.Equal(2, await EvalAsync(data, set, "--fail-under", "plain=95"));
    }

    [Fact]
    public async Task A_set_that_cannot_work_is_refused_before_any_row()
    {
        var data = Write("rows.jsonl", """{"output":"x"}""");

        foreach (var bad in new[]
        {
            """[{"name":"m","criterion":"?","validator":{"kind":"length","mx":4}}]""",
            """[{"name":"m","criterion":"?","validator":{"kind":"regex","pattern":"(a)\\1"}}]""",
            """[{"name":"m","criterion":"?","validator":{"kind":"sql-expression","expression":"colour = 'red'"}}]""",
            """[{"name":"m","criterion":"?","validator":{"kind":"length","max":4},"typo":1}]""",
            "[]", "{",
        })
            Assert.Equal(2, await EvalAsync(data, Write("bad.json", bad)));
    }

    [Fact]
    public async Task Rows_at_fault_are_errors_and_none_is_lost()
    {
        var data = Write("rows.jsonl", """{"id":"a","output":"abc"}""", "{broken", """{"id":"c"}""", "", """{"id":"e","output":null}""",
            "[1]",
            """{"id":"g","kind":"painter","output":"x"}""", """{"id":"h","node":"other","output":"x"}""");
        var set = Write("set.json",
            """{"metrics":[{"name":"m","criterion":"?","nodes":["answer"],"validator":{"kind":"length","max":10}}]}""");

        Assert.Equal(0, await EvalAsync(data, set, "--out", At("out.jsonl"), "--junit", At("junit.xml")));
        Assert.Equal(100, await EvalAsync(data, set, "--max-errors", "3"));
        Assert.Equal(0, await EvalAsync(data, set, "--max-errors", "4"));

        var lines = File.ReadLines(At("out.jsonl")).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal([("a", "pass"), ("2", "error"), ("c", "error"), ("e", "skipped"), ("6", "error"), ("g", "error"), ("h", "skipped")],
            lines.Select(line => (line.GetProperty("id").GetString(), line.GetProperty("outcome").GetString())));
        Assert.Equal("not about node other", lines[6].GetProperty("reason").GetString());
        var junit = XDocument.Load(At("junit.xml")).Root!;
        Assert.Equal(("7", "0", "4", "2"),
            ((string)junit.Attribute("tests")!, (string)junit.Attribute("failures")!, (string)junit.Attribute("errors")!,
                (string)junit.Attribute("skipped")!));
        Assert.Equal(4, junit.Descendants("error").Count());
    }

    [Fact]
    public async Task Right_classes_give_accuracy_and_f1_which_may_be_thresholds()
    {
        var data = Write("rows.csv", "id,answer,label", "1,billing,billing", "2,billing,delivery", "3,delivery,delivery",
            "4, billing ,billing");
        var set = Write("set.json", """{"name":"known","criterion":"?","validator":{"kind":"one-of","values":["billing","delivery"]}}""");
        string[] fields = ["--output-field", "answer", "--expected-field", "label"];

        Assert.Equal(0, await EvalAsync(data, set, [.. fields, "--fail-under", "accuracy=0.75"]));
        Assert.Equal(100, await EvalAsync(data, set, [.. fields, "--fail-under", "accuracy=0.76"]));
        Assert.Equal(100, await EvalAsync(data, set, [.. fields, "--fail-under", "macro_f1=0.74"]));
        Assert.Equal(2, await EvalAsync(data, set, "--output-field", "answer", "--fail-under", "accuracy=0.5"));
    }

    [Fact]
    public async Task A_run_that_was_cut_short_goes_on_without_doing_a_row_twice()
    {
        var rows = new EvalRows(
            new EvalFile(Write("rows.jsonl", [.. Enumerable.Range(1, 500).Select(i => $$"""{"output":"{{i}}"}""")])), Fields,
            TimeProvider.System);
        var validator = new Counting(stopAt: 100);
        var metric = new EvalMetric(
            new("m", "?", MetricSubject.Output, null, null, 1, new("length", default), "t"), EngineValidators.Registry().Get("length"),
            validator);
        var about = new NewEvalRun("rows", "hash", "set", ["m"], "[]");

        int kept;
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct))
        await using (var store = await OpenAsync())
        {
            var runs = store.EvalRuns;
            validator.Stop = stop;
            var run = await runs.BeginAsync(ProjectId.Default, about, afresh: false, DateTimeOffset.UnixEpoch, Ct);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
                await Run(metric).RunAsync(
                    rows.Raw(await runs.DoneAsync(run, Ct)), rows.Read, cases =>
                        runs.AddAsync(run, cases, CancellationToken.None), stop.Token));
            kept = (await runs.DoneAsync(run, Ct)).Count;
        }
        Assert.InRange(kept, 1, 499);

        await using (var store = await OpenAsync())
        {
            var runs = store.EvalRuns;
            validator.Seen.Clear();
            validator.Stop = null;
            var run = await runs.BeginAsync(ProjectId.Default, about, afresh: false, DateTimeOffset.UnixEpoch, Ct);
            Assert.Equal(kept, run.Resumed);
            await Run(metric).RunAsync(rows.Raw(await runs.DoneAsync(run, Ct)), rows.Read, cases => runs.AddAsync(run, cases, Ct), Ct);
            await runs.FinishAsync(run, DateTimeOffset.UnixEpoch, Ct);

            Assert.Equal(500 - kept, validator.Seen.Count);
            Assert.Equal(500, (await runs.DoneAsync(run, Ct)).Count);
            Assert.Equal(500, await runs.FindingsAsync(run, 0, Ct).Select(each => each.Row).Distinct().CountAsync(Ct));
            Assert.Equal(0, (await runs.BeginAsync(ProjectId.Default, about, afresh: false, DateTimeOffset.UnixEpoch, Ct)).Resumed);
        }

        // Cases one by one and a commit after each, so that the cut falls between commits.
        static Evaluation Run(EvalMetric metric) => new(
            [metric], new PlatformFaults(), new EvalOptions(2) { Chunk = 1, CommitRows = 1 }, TimeProvider.System, new Random(1));
    }

    [Fact]
    public async Task A_validator_that_throws_or_hangs_costs_one_outcome()
    {
        var rows = new EvalRows(
            new EvalFile(Write("rows.jsonl", """{"output":"throw"}""", """{"output":"hang"}""", """{"output":"fine"}""")), Fields,
            TimeProvider.System);
        var metric = new EvalMetric(
            new("m", "?", MetricSubject.Output, null, null, 1, new("length", default), "t"), EngineValidators.Registry().Get("length"),
            new Moody());
        var cases = new List<EvaluatedCase>();

        await new Evaluation(
            [metric], new PlatformFaults(), new EvalOptions(1) { CodeTimeout = TimeSpan.FromMilliseconds(50) }, TimeProvider.System,
            new Random(1))
            .RunAsync(rows.Raw(new HashSet<int>()), rows.Read, kept =>
            {
                cases.AddRange(kept);
                return Task.CompletedTask;
            }, Ct);

        Assert.Equal([Outcome.Error, Outcome.Error, Outcome.Pass], cases.Select(one => one.Findings[0].Outcome));
        Assert.Contains("bad mood", cases[0].Findings[0].Reason, StringComparison.Ordinal);
        Assert.Contains("no answer within", cases[1].Findings[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_other_data_is_not_written_to()
    {
        var other = Write("precious.db", "not a database at all, but precious");
        var data = Write("rows.jsonl", """{"output":"x"}""");
        var set = Write("set.json", """{"name":"m","criterion":"?","validator":{"kind":"length","max":4}}""");

        Assert.Equal(1, await Cli.Commands.RunAsync(["eval", "--data", data, "--metrics", set, "--db", "sqlite:" + other, "--json"]));
        Assert.StartsWith("not a database", await File.ReadAllTextAsync(other, Ct), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    async Task<IFlywheelStore> OpenAsync()
    {
        var store = await FlywheelStore.OpenAsync("sqlite:" + At("results.db"), null, Ct);
        await store.MigrateAsync(Ct);
        return store;
    }

    static EvalFields Fields => new("id", "input", null, null, "node", "kind", null, null, null);

    string At(string name) => Path.Combine(_folder, name);

    string Write(string name, params string[] lines)
    {
        File.WriteAllLines(At(name), lines);
        return At(name);
    }

    Task<int> EvalAsync(string data, string set, params string[] more) =>
        Cli.Commands.RunAsync(["eval", "--data", data, "--metrics", set, "--db", "sqlite:" + At("results.db"), "--json", .. more]);

    sealed class Counting(int stopAt) : IValidator
    {
        public System.Collections.Concurrent.ConcurrentBag<string> Seen { get; } = [];
        public CancellationTokenSource? Stop { get; set; }
        public string Version => "counting";

        public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            Seen.Add(examinee.Text!);
            if (Seen.Count == stopAt)
                Stop?.Cancel();
            return ValueTask.FromResult(Finding.Pass());
        }
    }

    sealed class Moody : IValidator
    {
        public string Version => "moody";

        public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            if (examinee.Text == "throw")
                throw new InvalidOperationException("bad mood");
            if (examinee.Text == "hang")
                await Task.Delay(Timeout.Infinite, ct);
            return Finding.Pass();
        }
    }
}
