using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Traces;
using Flywheel.Storage;

namespace Flywheel.Server.Tests.Traces;

public sealed class SpanIntakeTests : IAsyncLifetime
{
    static readonly ProjectId Home = ProjectId.Default;

    readonly Upper _filter = new();
    readonly WorkSignal _work = new();
    IFlywheelStore _store = null!;
    SpanIntake _intake = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await FlywheelStore.OpenAsync("sqlite::memory:", new() { Durability = Durability.Off }, Ct);
        await _store.MigrateAsync(Ct);
        _intake = new(_store.SpanWriter, _store.Spans, _filter, _work, TimeProvider.System);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    static NewSpan Span(string id, string input = "hello") =>
        new() { Key = new("t", id), Node = "n", Input = input, StartedAt = TimeProvider.System.GetUtcNow() };

    [Fact]
    public async Task Each_span_of_a_batch_has_its_own_result()
    {
        var first = Span("1");
        await _intake.AddAsync(Home, [first], Ct);

        var results = await _intake.AddAsync(
            Home, [Span("bad") with { Node = "" }, Span("new"), first, Span("1", "another"),
                Span("old") with { StartedAt = DateTimeOffset.UnixEpoch }], Ct);

        Assert.Equal(
            [SpanOutcome.Refused, SpanOutcome.Stored, SpanOutcome.Repeated, SpanOutcome.Conflicting, SpanOutcome.Refused],
            results.Select(result => result.Outcome));
        Assert.Equal([false, true, true, false, false], results.Select(result => result.IsKept));
        Assert.Equal(
            [("invalid_node", "node"), ("span_conflict", "span_id"), ("invalid_started_at", "started_at")],
            results.Select(result => result.Refusal).OfType<SpanRefusal>().Select(refusal => (refusal.Code, refusal.Field!)));
        Assert.Equal(2, await _store.Spans.CountAsync(Home, Ct));
    }

    [Fact]
    public async Task What_is_stored_went_through_the_filter()
    {
        await _intake.AddAsync(Home, [Span("bad") with { Node = "" }, Span("good")], Ct);

        Assert.Equal("HELLO", (await _store.Spans.FindAsync(Home, new("t", "good"), Ct))!.Content.Input);
        Assert.Equal(1, _filter.Seen);
    }

    [Fact]
    public async Task A_filter_that_loses_a_span_stores_nothing()
    {
        _filter.Loses = true;

        await Assert.ThrowsAsync<InvalidOperationException>(() => _intake.AddAsync(Home, [Span("1"), Span("2")], Ct));

        Assert.Equal(0, await _store.Spans.CountAsync(Home, Ct));
    }

    [Fact]
    public async Task Workers_are_woken_by_spans_that_can_be_stored_and_by_no_others()
    {
        var next = _work.Next;

        await _intake.AddAsync(Home, [], Ct);
        await _intake.AddAsync(Home, [Span("bad") with { Node = "" }], Ct);
        Assert.False(next.IsCompleted);
        await _intake.AddAsync(Home, [Span("good")], Ct);
        Assert.True(next.IsCompleted);
    }

    /// <summary>Writes inputs in capital letters.</summary>
    sealed class Upper : ISpanFilter
    {
        public bool Loses { get; set; }

        public int Seen { get; private set; }

        public ValueTask<IReadOnlyList<NewSpan>> BeforeStoringAsync(ProjectId project, IReadOnlyList<NewSpan> spans, CancellationToken ct)
        {
            Seen += spans.Count;
            return new([.. spans.Skip(Loses ? 1 : 0).Select(span => span with { Input = span.Input!.ToUpperInvariant() })]);
        }
    }
}
