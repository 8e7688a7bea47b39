using System.Collections.Concurrent;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Jobs;
using Flywheel.Server.Files;
using Flywheel.Storage;
using Microsoft.Extensions.AI;

namespace Flywheel.Server.Tests;

public sealed class EvalModelTests : IDisposable
{
    static readonly DateTimeOffset Noon = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    readonly string _folder = Directory.CreateTempSubdirectory("flywheel-eval-").FullName;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_prompt_gets_the_rows_fields_but_never_the_answer()
    {
        var model = new Model(_ => "fine");
        var plan = Plan(model,
            (PromptType.Chat, """[{"role":"system","content":"Answer in {{lang}}."},{"role":"user","content":"{{input}} ({{tier}})"}]"""));
        var plain = Plan(model, (PromptType.Text, "Answer in {{lang}}."));
        var one = Case("""{"input":"{\"tier\":\"gold\"}","lang":"Latin","expected":"secret"}""");

        var made = await Make(plan).AskAsync(one, Ct);
        await Make(plain with { Demonstrate = (_, _) =>
            Task.FromResult<IReadOnlyList<ChosenDemonstration>>([new(Guid.Empty, "q", "a", false, 1, [])]) }).AskAsync(one, Ct);
        await Make(Plan(model, (PromptType.Text, "{{input}} in {{lang}}"))).AskAsync(one, Ct);

        Assert.Equal(("fine", 10, 2, 0.5), (made.Output, made.InputTokens, made.OutputTokens, made.CostUsd));
        Assert.Equal(["system: Answer in Latin.", "user: {\"tier\":\"gold\"} (gold)"], model.Asked[0]);
        Assert.Equal(["system: Answer in Latin.", "user: q", "assistant: a", "user: {\"tier\":\"gold\"}"], model.Asked[1]);
        Assert.Equal(["user: {\"tier\":\"gold\"} in Latin"], model.Asked[2]);
        Assert.Equal(["expected"], Make(Plan(model, (PromptType.Text, "{{expected}} {{lang}}"))).Missing(one));
        Assert.Contains("no `expected`", (await Make(Plan(model, (PromptType.Text, "{{expected}}"))).AskAsync(one, Ct)).Error,
            StringComparison.Ordinal);
        Assert.Equal(3, model.Asked.Count);
    }

    [Fact]
    public async Task A_fault_that_passes_is_tried_again_and_one_that_does_not_is_the_rows_error()
    {
        var faults = 0;
        var model = new Model(text => text.Contains("moody", StringComparison.Ordinal) && ++faults < 3 ? throw new IOException("cut off")
            : text.Contains("never", StringComparison.Ordinal) ? throw new ArgumentException("refused") : "fine");
        var maker = Make(Plan(model, null));

        Assert.Equal("fine", (await maker.AskAsync(Case("""{"input":"moody"}"""), Ct)).Output);
        var refused = await maker.AskAsync(Case("""{"input":"never"}"""), Ct);

        Assert.Equal(3, model.Asked.Count(asked => asked[0].Contains("moody", StringComparison.Ordinal)));
        Assert.Single(model.Asked, asked => asked[0].Contains("never", StringComparison.Ordinal));
        Assert.Null(refused.Output);
        var spoilt = Generation.With(Case("""{"input":"never"}"""), refused, paidNow: true);
        Assert.Null(spoilt.Span);
        Assert.Contains("refused", spoilt.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_was_killed_goes_on_without_paying_for_an_output_twice()
    {
        var rows = Rows([.. Enumerable.Range(1, 60).Select(i => $$"""{"input":"{{i}}"}""")]);
        var about = new NewEvalRun("rows", "hash", "set", ["m"], "[]", new EvalAbout("x", Model: "m").Json());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var model = new Model(text => text);
        var broken = new Model(text => text) { After = 20, Stop = stop };

        int paid, keptBefore;
        await using (var store = await OpenAsync())
        {
            var run = await store.EvalRuns.BeginAsync(ProjectId.Default, about, false, Noon, Ct);
            // The process dies where outputs are kept and their rows are not: judges had no time.
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(store.EvalRuns, run, broken, new Slow(), stop.Token));
            keptBefore = (await store.EvalRuns.UncheckedAsync(run, Ct)).Count;
            paid = keptBefore + (await store.EvalRuns.DoneAsync(run, Ct)).Count;
        }
        Assert.InRange(paid, 15, 59);
        Assert.True(keptBefore > 0);

        await using (var store = await OpenAsync())
        {
            var runs = store.EvalRuns;
            var run = await runs.BeginAsync(ProjectId.Default, about, false, Noon, Ct);
            await RunAsync(runs, run, model, new Fine(), Ct);
            await runs.FinishAsync(run, Noon, Ct);

            Assert.Equal(60 - paid, model.Asked.Count);
            Assert.Equal(60, (await runs.DoneAsync(run, Ct)).Count);
            Assert.Equal((60L, 0L, 600L, 120L, 30.0),
                await runs.GenerationAsync(run, Ct) is { } made
                    ? (made.Rows, made.Errors, made.InputTokens, made.OutputTokens, made.CostUsd) : default);
            Assert.Equal(30, await runs.SpentAsync(run, Ct));
            Assert.Equal("x, m", EvalAbout.Of(Assert.Single(await runs.ListAsync(ProjectId.Default, 10, Ct)).Run.About.About).Title());
            Assert.Equal(Enumerable.Range(1, 60).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                await runs.OutcomesAsync(run, Ct).Select(row => row.Excerpt).ToArrayAsync(Ct));
        }

        async Task RunAsync(IEvalRunStore runs, EvalRun run, Model asked, IValidator validator, CancellationToken ct)
        {
            var (maker, kept) = (Make(Plan(asked, null)), await runs.UncheckedAsync(run, ct));
            await new Evaluation([Metric(validator)], new PlatformFaults(), Options, TimeProvider.System, new Random(1))
            {
                Answer = async (one, token) =>
                {
                    if (kept.TryGetValue(one.Row, out var there))
                        return Generation.With(one, there, false);
                    var made = await maker.AskAsync(one, token);
                    await runs.AddAsync(run, made, CancellationToken.None);
                    return Generation.With(one, made, true);
                },
            }.RunAsync(rows.Raw(await runs.DoneAsync(run, ct)), rows.Read, cases => runs.AddAsync(run, cases, CancellationToken.None), ct);
        }
    }

    [Fact]
    public async Task The_budget_ends_the_run_before_it_is_overdrawn_and_rows_in_work_are_finished()
    {
        var rows = Rows([.. Enumerable.Range(1, 60).Select(i => $$"""{"input":"{{i}}"}""")]);
        var (model, budget, kept) = (
            new Model(text => text), new EvalBudget(5.2, spent: 1, TimeProvider.System), new List<EvaluatedCase>());
        var maker = Make(Plan(model, null));

        await new Evaluation([Metric(new Fine())], new PlatformFaults(), Options, TimeProvider.System, new Random(1))
        {
            Budget = budget,
            Answer = async (one, token) => Generation.With(one, await maker.AskAsync(one, token), true),
        }.RunAsync(rows.Raw(new HashSet<int>()), rows.Read, cases =>
        {
            kept.AddRange(cases);
            return Task.CompletedTask;
        }, Ct);

        // 1 was spent; 8 rows at 0.5 fit below 5.2, a ninth would not.
        Assert.True(budget.IsUsedUp);
        Assert.Equal((8, 8, 5.0), (model.Asked.Count, kept.Count, budget.SpentUsd));
    }

    [Fact]
    public async Task Runs_over_a_data_set_are_made_by_the_offline_model_and_compared_row_by_row()
    {
        var db = "sqlite:" + At("f.db");
        await using (var store = await FlywheelStore.OpenAsync(db, null, Ct))
        {
            await store.MigrateAsync(Ct);
            await store.Datasets.CreateAsync(ProjectId.Default, "gold", null, "ann", Noon, Ct);
            await store.Datasets.AddAsync(
                ProjectId.Default, "gold",
                [.. Enumerable.Range(0, 12)
                    .Select(i => new NewDatasetItem(
                        $"my {(i % 2 == 0 ? "parcel delivery" : "refund money")} number {i}", i % 2 == 0 ? "delivery" : "refund")),
                            new("a xylophone out of tune", "delivery"), new("this xylophone is out of tune", "delivery")], null, "ann",
                                Noon, Ct);
            for (var i = 0; i < 6; i++)
            {
                var span = new NewSpan { Key = new("t", "s" + i), Node = "intent",
                    Input = i == 0 ? "a xylophone out of tune" : $"{(i % 2 == 0 ? "parcel delivery late" : "refund my money")} {i}",
                    Output = "x", StartedAt = Noon };
                await store.AddSpansAsync(ProjectId.Default, [span], Noon, Ct);
                // The demonstration with the very input of an item says something else than the others.
                await store.Corrections.AddAsync(
                    new(Guid.CreateVersion7(), ProjectId.Default, (await store.Spans.FindAsync(ProjectId.Default, span.Key, Ct))!.Id, null,
                        i == 0 ? "leaked" : i % 2 == 0 ? "delivery" : "refund", null, "ann", Noon), Ct);
            }
            await store.Demonstrations.ApproveAsync(
                ProjectId.Default, [.. (await store.Demonstrations.ListAsync(ProjectId.Default, new(), Ct)).Items.Select(each => each.Id)],
                "ann", Noon, Ct);
        }
        File.WriteAllText(At("set.json"),
            """[{"name":"known","criterion":"?","validator":{"kind":"one-of","values":["delivery","refund"]}}]""");
        File.WriteAllText(At("p.txt"), "Classify the message.");
        string[] common = ["eval", "--dataset", "gold", "--db", db, "--metrics", At("set.json"), "--expected-field", "expected", "--json"];

        Assert.Equal(0, await RunAsync([.. common, "--model", "offline", "--prompt-file", At("p.txt")]));
        Assert.Equal(0, await RunAsync(
            [.. common, "--model", "offline", "--prompt-file", At("p.txt"), "--demonstrations", "intent", "--k", "1"]));
        Assert.Equal(0, await RunAsync(["eval", "compare", "1", "2", "--db", db, "--json"]));
        Assert.Equal(0, await RunAsync(["eval", "runs", "--db", db, "--json"]));
        Assert.Equal(1, await RunAsync(["eval", "compare", "1", "9", "--db", db]));
        Assert.Equal(1, await RunAsync(["eval", "runs", "--db", "sqlite:" + At("none.db")]));
        Assert.Equal(2, await RunAsync([.. common, "--model", "gpt-none"]));
        Assert.Equal(2, await RunAsync([.. common, "--model", "offline", "--demonstrations", "nobody"]));
        Assert.Equal(2, await RunAsync(["eval", "--metrics", At("set.json")]));
        Assert.Equal(1, await RunAsync(["eval", "--dataset", "none", "--db", db, "--metrics", At("set.json")]));

        await using var opened = await FlywheelStore.OpenAsync(db, null, Ct);
        var runs = opened.EvalRuns;
        var (first, second) = ((await runs.FindAsync(ProjectId.Default, 1, Ct))!, (await runs.FindAsync(ProjectId.Default, 2, Ct))!);
        var comparison = await EvalComparer.OfAsync([new("f.db", runs, first), new("f.db", runs, second)], Ct);
        var right = comparison.Metrics[0];
        Assert.Equal(("right class", "row"), (right.Name, comparison.Pairing));
        // With demonstrations the model knows the classes. It is shown the one about xylophones, but never for the item with its very
        // input.
        var answers = await runs.OutcomesAsync(second.Run, Ct).ToArrayAsync(Ct);
        Assert.All(answers[..12], row => Assert.Equal(row.Expected, row.Predicted));
        Assert.NotEqual("leaked", answers[12].Predicted);
        Assert.Equal("leaked", answers[13].Predicted);
        Assert.Equal(14, right.Runs[1]!.Difference!.Difference.N);
        Assert.Equal(right.Runs[1]!.Difference!.OnlySecond,
            comparison.Flips.Count(flip => flip is { Metric: "right class", From: "fail", To: "pass" }));
        Assert.True(right.Runs[1]!.Difference!.OnlySecond > 0);
        Assert.Equal("gold@1", comparison.Runs[0].Data);
        Assert.True(comparison.Runs[0].Generation!.InputTokens > 0);

        static Task<int> RunAsync(string[] args) => Cli.Commands.RunAsync(args);
    }

    async Task<IFlywheelStore> OpenAsync()
    {
        var store = await FlywheelStore.OpenAsync("sqlite:" + At("r.db"), null, Ct);
        await store.MigrateAsync(Ct);
        return store;
    }

    static EvalOptions Options => new(4) { Retry = new(TimeSpan.FromMilliseconds(1), 2, TimeSpan.FromMilliseconds(5)) };

    static Generation Make(GenerationPlan plan) => new(plan, new PlatformFaults(), Options, TimeProvider.System, new Random(1));

    static GenerationPlan Plan(Model model, (PromptType, string)? prompt) =>
        new(model, "scripted", _ => 0.5, prompt, new(), null, new HashSet<string> { "expected" });

    static EvalMetric Metric(IValidator validator) =>
        new(new("m", "?", MetricSubject.Output, null, null, 1, new("length", default), "t"), EngineValidators.Registry().Get("length"),
            validator);

    EvalRows Rows(params string[] lines)
    {
        File.WriteAllLines(At("rows.jsonl"), lines);
        return new(new EvalFile(At("rows.jsonl")), new("id", "input", null, null, "node", "kind", null, null, null),
            TimeProvider.System) { Generates = true };
    }

    EvalCase Case(string json) => Rows(json).First()!;

    string At(string name) => Path.Combine(_folder, name);

    sealed class Fine : IValidator
    {
        public string Version => "fine";

        public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => ValueTask.FromResult(Finding.Pass());
    }

    sealed class Slow : IValidator
    {
        int _seen;

        public string Version => "slow";

        public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            if (Interlocked.Increment(ref _seen) > 10)
                await Task.Delay(200, ct);
            return Finding.Pass();
        }
    }

    sealed class Model(Func<string, string> answer) : IChatClient
    {
        readonly ConcurrentQueue<string[]> _asked = [];

        public List<string[]> Asked => [.. _asked];
        public int After { get; init; } = int.MaxValue;
        public CancellationTokenSource? Stop { get; init; }

        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var list = messages.ToArray();
            _asked.Enqueue([.. list.Select(message => $"{message.Role}: {message.Text}")]);
            if (_asked.Count == After)
                Stop?.CancelAfter(20);
            return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer(list[^1].Text)))
            {
                Usage = new() { InputTokenCount = 10, OutputTokenCount = 2 },
            });
        }

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
                throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
