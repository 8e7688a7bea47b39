using System.Diagnostics;
using Flywheel.Client;
using Flywheel.Client.Recording;
using Flywheel.Core.Traces;
using Flywheel.TestServer;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Flywheel.Tests.Client;

public sealed class RecordingTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static FlywheelOptions Quick(Action<FlywheelOptions>? change = null)
    {
        var options = new FlywheelOptions
        {
            MaxDelay = TimeSpan.FromMilliseconds(5), FirstRetry = TimeSpan.FromMilliseconds(1), MaxRetry = TimeSpan.FromMilliseconds(4),
        };
        change?.Invoke(options);
        return options;
    }

    static void AddTo(FlywheelConnection connection, int count)
    {
        for (var i = 0; i < count; i++)
            connection.Record(Spans.New(number: i));
    }

    [Fact]
    public async Task Spans_go_out_in_batches_in_their_order()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Quick(o => (o.MaxBatch, o.MaxDelay) = (10, TimeSpan.FromMinutes(1))));

        AddTo(connection, 25);
        await connection.FlushAsync(Ct);

        Assert.True(loop.Batches.Count <= 4, $"{loop.Batches.Count} batches");
        Assert.All(loop.Batches, batch => Assert.InRange(batch.Count, 1, 10));
        Assert.Equal(Enumerable.Range(0, 25).Select(i => "s" + i), loop.Kept.Select(s => s.Key.Span));
        Assert.Equal((25, 0, 0), (connection.Statistics.Recorded, connection.Statistics.Pending, connection.Statistics.Dropped));
    }

    [Fact]
    public async Task A_lonely_span_leaves_after_the_delay_and_not_before()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var sent = new TaskCompletionSource();
        var loop = new ScriptedLoop { OnRecord = (_, _) => { sent.SetResult(); return Task.CompletedTask; } };
        await using var connection = new FlywheelConnection(loop, new() { Time = clock, DrainTimeout = TimeSpan.Zero });

        connection.Record(Spans.New());
        await Task.Delay(50, Ct);
        Assert.Empty(loop.Batches);

        await AdvanceUntilAsync(clock, TimeSpan.FromMilliseconds(200), sent.Task);
    }

    /// <summary>In steps, since on a busy machine the wait may begin after the first of them.</summary>
    static Task AdvanceUntilAsync(FakeTimeProvider clock, TimeSpan step, Task task) => Eventually.IsAsync(
        () =>
        {
            if (!task.IsCompleted)
                clock.Advance(step);
            return task.IsCompleted;
        },
        Ct);

    [Fact]
    public async Task A_failed_send_is_repeated_until_it_works_and_nothing_is_lost_or_doubled()
    {
        var failures = 4;
        var loop = new ScriptedLoop
        {
            OnRecord = (_, _) => Interlocked.Decrement(ref failures) >= 0 ? throw new HttpRequestException("refused") : Task.CompletedTask,
        };
        await using var connection = new FlywheelConnection(loop, Quick());

        AddTo(connection, 3);
        await connection.FlushAsync(Ct);

        Assert.Equal(["s0", "s1", "s2"], loop.Kept.Select(s => s.Key.Span));
        Assert.Equal((3, 4, 0), (connection.Statistics.Recorded, connection.Statistics.FailedSends, connection.Statistics.Dropped));
    }

    [Fact]
    public async Task Retry_after_is_honoured()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var tries = 0;
        var refused = new TaskCompletionSource();
        var loop = new ScriptedLoop
        {
            OnRecord = (_, _) =>
            {
                if (Interlocked.Increment(ref tries) > 1)
                    return Task.CompletedTask;
                refused.SetResult();
                throw new OverloadedException(TimeSpan.FromSeconds(60));
            },
        };
        await using var connection = new FlywheelConnection(
            loop, Quick(o => (o.Time, o.MaxDelay, o.DrainTimeout) = (clock, TimeSpan.Zero, TimeSpan.Zero)));

        connection.Record(Spans.New());
        var flush = connection.FlushAsync(Ct);
        await refused.Task.WaitAsync(Eventually.Limit, Ct);
        await Task.Delay(50, Ct);
        clock.Advance(TimeSpan.FromSeconds(59));
        await Task.Delay(50, Ct);
        Assert.Equal(1, Volatile.Read(ref tries));
        Assert.False(flush.IsCompleted);

        await AdvanceUntilAsync(clock, TimeSpan.FromSeconds(2), flush);
        Assert.Equal(2, tries);
    }

    [Fact]
    public async Task The_bound_drops_and_counts_and_the_application_does_not_wait()
    {
        var gate = new TaskCompletionSource();
        var loop = new ScriptedLoop { OnRecord = (_, _) => gate.Task };
        await using var connection = new FlywheelConnection(loop, Quick(o => o.MaxPending = 10));
        var chat = new ScriptedChatClient("answer").UseFlywheel(connection, "n", configure: o => o.UseDemonstrations = false);

        for (var i = 0; i < 25; i++)
            Assert.Equal("answer", (await chat.GetResponseAsync("hi", cancellationToken: Ct)).Text);

        Assert.Equal((10, 15, 0), (connection.Statistics.Pending, connection.Statistics.Dropped, connection.Statistics.Recorded));
        gate.SetResult();
        await connection.FlushAsync(Ct);
        Assert.Equal((0, 15, 10), (connection.Statistics.Pending, connection.Statistics.Dropped, connection.Statistics.Recorded));
    }

    [Fact]
    public async Task Long_texts_are_bounded_too_and_the_room_comes_back()
    {
        var gate = new TaskCompletionSource();
        var loop = new ScriptedLoop { OnRecord = (_, _) => gate.Task };
        await using var connection = new FlywheelConnection(loop, Quick(o => o.MaxPendingCharacters = 1_000));

        for (var i = 0; i < 4; i++)
            connection.Record(Spans.New(new string('x', 400), i));
        Assert.Equal((2, 2), (connection.Statistics.Pending, connection.Statistics.Dropped));

        gate.SetResult();
        await connection.FlushAsync(Ct);
        SpinWait.SpinUntil(() =>
            { connection.Record(Spans.New(new string('x', 900), 9)); return connection.Statistics.Pending > 0; }, 2_000);
        await connection.FlushAsync(Ct);
        Assert.Equal("s9", loop.Kept.Last().Key.Span);
    }

    [Fact]
    public async Task Spans_refused_one_by_one_are_counted_reported_and_never_sent_again()
    {
        var heard = new List<FlywheelFailure>();
        var loop = new ScriptedLoop
        {
            OnRecord = (spans, _) => throw new SpansRejectedException([new(spans[1], "conflict", "another span has these ids")]),
        };
        await using var connection = new FlywheelConnection(loop, Quick(o => o.OnFailure = heard.Add));

        AddTo(connection, 3);
        await connection.FlushAsync(Ct);

        Assert.Single(loop.Batches);
        Assert.Equal((2, 1), (connection.Statistics.Recorded, connection.Statistics.Rejected));
        var failure = Assert.Single(heard);
        Assert.Equal((FlywheelFailureKind.Rejected, new SpanKey("t", "s1")), (failure.Kind, failure.Span!.Value));
    }

    [Fact]
    public async Task One_span_that_makes_the_whole_batch_be_refused_does_not_take_the_others_with_it()
    {
        var loop = new ScriptedLoop
        {
            OnRecord = (spans, _) =>
                spans.Any(s => s.Key.Span == "s5") ? throw new BatchRefusedException("bad", "s5 is bad") : Task.CompletedTask,
        };
        await using var connection = new FlywheelConnection(loop, Quick());

        AddTo(connection, 9);
        await connection.FlushAsync(Ct);

        Assert.Equal(Enumerable.Range(0, 9).Where(i => i != 5).Select(i => "s" + i), loop.Kept.Select(s => s.Key.Span));
        Assert.Equal((8, 1), (connection.Statistics.Recorded, connection.Statistics.Rejected));
    }

    [Fact]
    public async Task A_span_that_no_store_would_take_is_refused_before_it_is_sent()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Quick());

        connection.Record(Spans.New(number: 1) with { StartedAt = DateTimeOffset.UnixEpoch });
        connection.Record(Spans.New(number: 2));
        await connection.FlushAsync(Ct);

        Assert.Equal("s2", Assert.Single(loop.Kept).Key.Span);
        Assert.Equal((1, 1), (connection.Statistics.Recorded, connection.Statistics.Rejected));
        Assert.Contains("invalid_started_at", connection.Statistics.LastFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_send_that_never_comes_back_is_given_up_and_repeated()
    {
        var tries = 0;
        var loop = new ScriptedLoop
        {
            OnRecord = (_, _) => Interlocked.Increment(ref tries) == 1
                ? Task.Delay(Timeout.Infinite, CancellationToken.None) : Task.CompletedTask,
        };
        await using var connection = new FlywheelConnection(loop, Quick(o => o.SendTimeout = TimeSpan.FromMilliseconds(50)));

        connection.Record(Spans.New());
        await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);

        Assert.Equal((1, 1), (connection.Statistics.Recorded, connection.Statistics.FailedSends));
    }

    [Fact]
    public async Task Disposing_sends_what_is_pending()
    {
        var loop = new ScriptedLoop();
        var connection = new FlywheelConnection(loop, Quick(o => o.MaxDelay = TimeSpan.FromMinutes(1)));
        AddTo(connection, 5);

        await connection.DisposeAsync();
        await connection.DisposeAsync();

        Assert.Equal((5, 0), (connection.Statistics.Recorded, connection.Statistics.Pending));
        connection.Record(Spans.New());
        Assert.Equal((5, 1), (connection.Statistics.Recorded, connection.Statistics.Dropped));
    }

    [Fact]
    public async Task Disposing_gives_a_failing_server_one_last_try()
    {
        var up = false;
        var failed = new TaskCompletionSource();
        var loop = new ScriptedLoop
        {
            OnRecord = (_, _) =>
            {
                if (Volatile.Read(ref up))
                    return Task.CompletedTask;
                failed.TrySetResult();
                throw new HttpRequestException("refused");
            },
        };
        var connection = new FlywheelConnection(loop, Quick(o => o.FirstRetry = o.MaxRetry = TimeSpan.FromMinutes(5)));
        connection.Record(Spans.New());
        await failed.Task.WaitAsync(Eventually.Limit, Ct);
        Volatile.Write(ref up, true);

        await connection.DisposeAsync();

        Assert.Equal((1, 0), (connection.Statistics.Recorded, connection.Statistics.Dropped));
    }

    [Fact, Trait("runs", "alone")]
    public async Task Disposing_with_the_server_away_ends_and_counts_what_is_lost()
    {
        var loop = new ScriptedLoop { OnRecord = (_, _) => throw new HttpRequestException("refused") };
        var connection = new FlywheelConnection(loop, Quick(o => o.DrainTimeout = TimeSpan.FromMilliseconds(50)));
        AddTo(connection, 5);
        var flush = connection.FlushAsync(Ct);
        var watch = Stopwatch.StartNew();

        await connection.DisposeAsync();

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(4), $"{watch.Elapsed}");
        Assert.Equal((0, 5, 0), (connection.Statistics.Recorded, connection.Statistics.Dropped, connection.Statistics.Pending));
        await flush.WaitAsync(Eventually.Limit, Ct);
    }

    [Fact]
    public async Task Every_span_has_one_outcome_whatever_the_loop_does_under_many_threads()
    {
        var random = new Random(7);
        var loop = new ScriptedLoop
        {
            OnRecord = (spans, _) =>
            {
                int draw;
                lock (random)
                    draw = random.Next(6);
                return draw switch
                {
                    0 => throw new HttpRequestException("refused"),
                    1 => throw new OverloadedException(TimeSpan.FromMilliseconds(1)),
                    2 => throw new SpansRejectedException([new(spans[0], "no", "no")]),
                    3 when spans.Count > 1 => throw new BatchRefusedException("no", "no"),
                    _ => Task.CompletedTask,
                };
            },
        };
        await using var connection = new FlywheelConnection(loop, Quick(o => (o.MaxBatch, o.MaxPending) = (7, 200)));
        const int threads = 8, each = 250;

        await Task.WhenAll(Enumerable.Range(0, threads).Select(t => Task.Run(() => AddTo(connection, each), Ct)));
        await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);

        var statistics = connection.Statistics;
        Assert.Equal(threads * each, statistics.Recorded + statistics.Dropped + statistics.Rejected);
        Assert.Equal(0, statistics.Pending);
        Assert.True(statistics.Recorded > 0);
    }

    [Fact]
    public async Task The_sender_does_not_live_on_in_the_first_callers_activity()
    {
        Activity? seen = null;
        FlywheelTrace? trace = null;
        var loop = new ScriptedLoop
        {
            OnRecord = (_, _) => { seen = Activity.Current; trace = FlywheelTrace.Current; return Task.CompletedTask; },
        };
        await using var connection = new FlywheelConnection(loop, Quick());

        using (new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start())
        using (FlywheelTrace.Start())
            connection.Record(Spans.New());
        await connection.FlushAsync(Ct);

        Assert.Single(loop.Kept);
        Assert.Null(seen);
        Assert.Null(trace);
    }

    [Fact]
    public void Pauses_double_with_jitter_up_to_the_longest()
    {
        var backOff = new BackOff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30), new Random(1));

        for (var failures = 0; failures < 2_000; failures++)
        {
            var plain = Math.Min(200 * Math.Pow(2, failures), 30_000);
            Assert.InRange(backOff.Next(failures).TotalMilliseconds, 0.75 * plain, 1.25 * plain);
        }
        Assert.Equal(TimeSpan.Zero, BackOff.Told(TimeSpan.FromSeconds(-3)));
        Assert.Equal(TimeSpan.FromMinutes(5), BackOff.Told(TimeSpan.FromDays(1)));
    }

    [Fact]
    public void Settings_out_of_range_are_said_at_once()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new FlywheelConnection(new ScriptedLoop(), new() { MaxBatch = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FlywheelConnection(new ScriptedLoop(), new() { SendTimeout = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new ScriptedChatClient("a").UseFlywheel(new ScriptedLoop(), "n", configure: o => o.K = 0));
    }
}
