using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Traces;
using Flywheel.Storage;

namespace Flywheel.Server.Tests.Guarding;

public sealed class InputGuardTests : IAsyncLifetime
{
    static readonly ProjectId Home = ProjectId.Default;

    readonly WordKind _code = new();
    readonly WordKind _judge = new(callsModel: true);
    IFlywheelStore _store = null!;
    InputGuard _guard = null!;
    SpanIntake _intake = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await FlywheelStore.OpenAsync("sqlite::memory:", new() { Durability = Durability.Off }, Ct);
        await _store.MigrateAsync(Ct);
        var registry = EngineValidators.Registry(further: [_code, _judge]);
        var guards = new ActiveGuards(_store.Metrics, TimeProvider.System);
        _guard = new(guards, registry, new PlatformFaults(), TimeProvider.System, _store.Jobs,
            new() { CodeTimeout = TimeSpan.FromMilliseconds(50) });
        _intake = _store.Intake(new SpanRedaction(guards, registry));
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    Task<Metric?> AddAsync(
        string word, GuardAction? onFail, string kind = "word", GuardFault? onError = null, MetricRole role = MetricRole.Guard,
        MetricSubject subject = MetricSubject.Input, string[]? nodes = null) =>
        _store.Metrics.AddAsync(Home, new(
            $"{kind}.{word}.{subject}".ToLowerInvariant(), "Is it fine?", subject, nodes, null, 1,
            new(kind, JsonSerializer.SerializeToElement(new { word })),
            "ann", role, MetricState.Active, onFail, onError), expectNew: false, TimeProvider.System.GetUtcNow(), Ct);

    Task<GuardAnswer> CheckAsync(string input, string node = "n") => _guard.CheckAsync(Home, new(node, NodeKind.Writer, input), Ct);

    [Fact]
    public async Task Without_guards_an_input_passes_unlooked_at()
    {
        await AddAsync("bad", null, role: MetricRole.Monitor);

        var answer = await CheckAsync("bad");

        Assert.Equal((GuardDecision.Allow, "bad", 0), (answer.Decision, answer.Input, answer.Findings.Count));
        Assert.Empty(_code.Seen);
    }

    [Fact]
    public async Task A_failing_guard_blocks_flags_or_redacts_as_it_is_told()
    {
        await AddAsync("flag", GuardAction.Flag);
        await AddAsync("hide", GuardAction.Redact);
        await AddAsync("stop", GuardAction.Block);

        Assert.Equal(GuardDecision.Allow, (await CheckAsync("fine")).Decision);
        Assert.Equal(GuardDecision.Allow, (await CheckAsync("a flag")).Decision);
        var redacted = await CheckAsync("hide the flag");
        Assert.Equal((GuardDecision.Redact, "[word] the flag"), (redacted.Decision, redacted.Input));
        var blocked = await CheckAsync("hide and stop");
        Assert.Equal((GuardDecision.Block, "[word] and stop"), (blocked.Decision, blocked.Input));
        Assert.Equal("word.stop.input: found it; word.hide.input: found it", blocked.Reason);
        Assert.Equal(3, blocked.Findings.Count);
        Assert.Equal(new FoundSpan(9, 4, "word"), Assert.Single(blocked.Findings[2].Finding.Spans!));
    }

    [Fact]
    public async Task A_guard_in_force_a_moment_ago_looks_at_the_next_input_and_a_retired_one_no_more()
    {
        await CheckAsync("stop");
        await AddAsync("stop", GuardAction.Block, nodes: ["n"]);
        Assert.Equal(GuardDecision.Block, (await CheckAsync("stop")).Decision);
        Assert.Equal(GuardDecision.Allow, (await CheckAsync("stop", node: "other")).Decision);

        await _store.Metrics.SetStateAsync(Home, "word.stop.input", MetricState.Retired, "ann", TimeProvider.System.GetUtcNow(), Ct);
        Assert.Equal(GuardDecision.Allow, (await CheckAsync("stop")).Decision);
    }

    [Theory]
    [InlineData("fault", "IOException")]
    [InlineData("never", "no answer in time")]
    public async Task A_guard_that_cannot_check_lets_pass_unless_it_is_told_otherwise(string word, string reason)
    {
        await AddAsync(word, GuardAction.Block);
        var allowed = await CheckAsync("x");
        await AddAsync(word, GuardAction.Block, onError: GuardFault.Block);
        var blocked = await CheckAsync("x");

        Assert.Equal((GuardDecision.Allow, Outcome.Error), (allowed.Decision, allowed.Findings[0].Finding.Outcome));
        Assert.Contains(reason, allowed.Findings[0].Finding.Reason);
        Assert.Equal(GuardDecision.Block, blocked.Decision);
    }

    [Fact]
    public async Task A_judge_sees_the_redacted_text_and_nothing_that_code_has_blocked()
    {
        await AddAsync("cruel", GuardAction.Block, kind: "judged-word");
        await AddAsync("hide", GuardAction.Redact);
        await AddAsync("stop", GuardAction.Block);

        Assert.Equal(GuardDecision.Block, (await CheckAsync("hide this cruel thing")).Decision);
        await CheckAsync("stop this cruel thing");

        Assert.Equal(["[word] this cruel thing"], _judge.Seen);
    }

    [Fact]
    public async Task A_span_is_stored_redacted_whatever_door_it_comes_through_and_says_what_was_found()
    {
        await AddAsync("hide", GuardAction.Redact);
        await AddAsync("mask", GuardAction.Redact, subject: MetricSubject.Output);
        var span = new NewSpan
        {
            Key = new("t", "s"), Node = "n", Kind = NodeKind.Writer, StartedAt = TimeProvider.System.GetUtcNow(),
            Input = "please hide me, not mask", Output = "mask, not hide", Error = "could not hide it",
            Attributes = """{"gen_ai.input.messages":[{"parts":[{"content":"please hide me"}]}],"n":1}""",
        };

        await _intake.AddAsync(Home, [span], Ct);
        var again = await _intake.AddAsync(Home, [span], Ct);

        var stored = (await _store.Spans.FindAsync(Home, span.Key, Ct))!.Content;
        Assert.Equal(("please [word] me, not mask", "[word], not hide", "could not [word] it"),
            (stored.Input, stored.Output, stored.Error));
        Assert.Contains("please [word] me\"", stored.Attributes);
        Assert.Equal(SpanOutcome.Repeated, Assert.Single(again).Outcome);
        var said = GuardRecord.Find(stored.Attributes, "word.hide.input")!;
        Assert.Equal((Outcome.Fail, "word-hide"), (said.Finding.Outcome, said.ValidatorVersion));
        var found = Assert.Single(said.Finding.Spans!);
        Assert.Equal("[word]", stored.Input!.Substring(found.Start, found.Length));
        Assert.DoesNotContain("hide me", stored.Attributes);
    }

    [Fact]
    public async Task Spans_are_stored_as_they_come_when_no_guard_redacts()
    {
        await AddAsync("flag", GuardAction.Flag);
        var span = new NewSpan { Key = new("t", "s"), Node = "n", StartedAt = TimeProvider.System.GetUtcNow(), Input = "flag" };

        await _intake.AddAsync(Home, [span], Ct);

        Assert.Equal("flag", (await _store.Spans.FindAsync(Home, span.Key, Ct))!.Content.Input);
    }

    [Fact]
    public async Task A_text_that_a_redacting_guard_could_not_check_is_withheld_only_if_it_says_so()
    {
        await AddAsync("fault", GuardAction.Redact);
        var now = TimeProvider.System.GetUtcNow();
        var span = new NewSpan { Key = new("t", "1"), Node = "n", StartedAt = now, Input = "plain words" };
        await _intake.AddAsync(Home, [span], Ct);
        await AddAsync("fault", GuardAction.Redact, onError: GuardFault.Block);
        await _intake.AddAsync(Home, [span with { Key = new("t", "2") }], Ct);

        Assert.Equal("plain words", (await _store.Spans.FindAsync(Home, new("t", "1"), Ct))!.Content.Input);
        Assert.StartsWith("[withheld", (await _store.Spans.FindAsync(Home, new("t", "2"), Ct))!.Content.Input);
    }
}
