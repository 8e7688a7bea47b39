using System.Buffers;
using System.Net;
using System.Text.Json;
using CsCheck;
using Flywheel.Client;
using Flywheel.Client.Outboxes;
using Flywheel.Client.Remote;
using Flywheel.Core.Labeling;
using Flywheel.Core.Traces;
using Flywheel.TestServer;

namespace Flywheel.Tests.Client;

public sealed class OutboxTests : IDisposable
{
    readonly string folder = Path.Combine(Directory.CreateTempSubdirectory("flywheel-outbox-").FullName, "outbox");

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);

    FlywheelOptions Quick(Action<FlywheelOptions>? change = null)
    {
        var options = new FlywheelOptions
        {
            Outbox = folder, MaxDelay = TimeSpan.FromMilliseconds(5), FirstRetry = TimeSpan.FromMilliseconds(1),
            MaxRetry = TimeSpan.FromMilliseconds(4),
        };
        change?.Invoke(options);
        return options;
    }

    static ScriptedLoop Away() => new() { OnRecord = (_, _) => throw new HttpRequestException("refused") };

    static void Add(FlywheelConnection connection, int from, int count)
    {
        for (var i = from; i < from + count; i++)
            connection.Record(Spans.New(number: i));
    }

    string[] Files() => Directory.Exists(folder) ? Directory.GetFiles(folder, "*.outbox") : [];

    /// <summary>Leaves that many spans on disk, as a process does whose server is away.</summary>
    async Task<FlywheelStatistics> LeaveAsync(int spans, Action<FlywheelOptions>? change = null)
    {
        var options = Quick(change);
        var connection = new FlywheelConnection(Away(), options);
        Add(connection, 0, spans);
        if (options.Outbox is not null)
            await connection.StoreAsync(Ct);
        await connection.DisposeAsync();
        return connection.Statistics;
    }

    async Task<(ScriptedLoop Loop, FlywheelStatistics Statistics)> TakeOverAsync()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Quick());
        await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);
        return (loop, connection.Statistics);
    }

    static IEnumerable<string> Numbered(int count) => Enumerable.Range(0, count).Select(i => "s" + i);

    [Fact]
    public async Task Spans_that_could_not_be_sent_are_sent_once_by_the_next_process()
    {
        var left = await LeaveAsync(250);

        var (loop, statistics) = await TakeOverAsync();

        Assert.Equal((0, 0, 250, 250), (left.Recorded, left.Dropped, left.Stored, left.Pending));
        Assert.Equal(Numbered(250), loop.Kept.Select(span => span.Key.Span));
        Assert.Equal((250, 0, 0), (statistics.Recorded, statistics.Dropped, statistics.Stored));
        Assert.Empty(Files());
    }

    [Fact]
    public async Task Without_an_outbox_they_are_lost()
    {
        var left = await LeaveAsync(250, options => (options.Outbox, options.DrainTimeout) = (null, TimeSpan.FromMilliseconds(50)));

        var (loop, _) = await TakeOverAsync();

        Assert.Equal((250, 0), (left.Dropped, left.Stored));
        Assert.Empty(loop.Kept);
    }

    [Fact]
    public async Task With_the_server_there_everything_goes_through_and_nothing_stays_on_disk()
    {
        var loop = new ScriptedLoop();
        var connection = new FlywheelConnection(loop, Quick());

        for (var round = 0; round < 5; round++)
        {
            Add(connection, round * 50, 50);
            await connection.FlushAsync(Ct);
        }

        Assert.Equal(Numbered(250), loop.Kept.Select(span => span.Key.Span));
        Assert.Equal((250, 0, 0, 0),
            (connection.Statistics.Recorded, connection.Statistics.Pending, connection.Statistics.Stored,
                connection.Statistics.FailedStores));
        Assert.Single(Files());
        await connection.DisposeAsync();
        Assert.Empty(Files());
    }

    [Fact]
    public async Task A_file_that_grew_large_is_replaced_and_removed_once_it_was_sent()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Quick());
        var text = new string('x', 300_000);

        for (var i = 0; i < 40; i++)
            connection.Record(Spans.New(text, i));
        await connection.FlushAsync(Ct);

        Assert.Equal(Numbered(40), loop.Kept.Select(span => span.Key.Span));
        await Eventually.IsAsync(() => Files().Select(file => new FileInfo(file)).Sum(LengthOrNothing) <= 4_600_000, Ct);
    }

    /// <summary>A file may go between being listed and being looked at.</summary>
    static long LengthOrNothing(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    [Fact]
    public async Task A_span_comes_back_from_disk_as_it_was()
    {
        var full = new NewSpan
        {
            Key = new("trace-1", "span-1"), ParentId = "span-0", Node = "intent", Kind = NodeKind.Classifier, Input = "héllo\n\"wörld\"",
            Output = "🎉",
            Error = "none", StartedAt = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero), DurationMs = 12.5, Session = "s", EndUser = "ada",
            Model = "m",
            InputTokens = 3, OutputTokens = 1, CostUsd = 0.25, Attributes = """{"a":{"b":[1]}}""", Demonstrations = [Guid.CreateVersion7()],
        };
        await using (var away = new FlywheelConnection(Away(), Quick()))
        {
            away.Record(full);
            await away.StoreAsync(Ct);
        }

        var (loop, _) = await TakeOverAsync();

        Assert.Equivalent(full, Assert.Single(loop.Kept), strict: true);
    }

    [Fact]
    public void Every_line_is_read_back_and_none_that_was_changed()
    {
        Gen.Select(Gen.String, Gen.String[Gen.Char, 0, 40], Gen.Int).Sample((text, attribute, at) =>
        {
            var storable = StorableText.Of(text)!;
            var attributes = JsonSerializer.Serialize(new Dictionary<string, string> { ["a"] = StorableText.Of(attribute)! });
            var lines = new ArrayBufferWriter<byte>();
            new OutboxEntry(Spans.New(storable) with { Attributes = attributes }, null).WriteLine(lines);
            var line = lines.WrittenSpan.ToArray();
            Assert.Equal(line.Length - 1, Array.IndexOf(line, (byte)'\n'));

            var read = OutboxEntry.ReadLine(line.AsSpan(0, line.Length - 1))!.Span!;
            Assert.Equal((storable, attributes), (read.Output, read.Attributes));

            line[(int)((uint)at % (line.Length - 1))] ^= 0x40;
            Assert.Null(OutboxEntry.ReadLine(line.AsSpan(0, line.Length - 1)));
        }, iter: 300);
    }

    [Fact]
    public async Task A_write_that_was_cut_short_and_a_damaged_line_cost_themselves_only()
    {
        await LeaveAsync(20);
        var file = Assert.Single(Files());
        var bytes = File.ReadAllBytes(file);
        var lines = bytes.Index().Where(one => one.Item == '\n').Select(one => one.Index).ToList();
        bytes[lines[5] + 30] ^= 0x01;
        File.WriteAllBytes(file, bytes[..^7]);

        var (loop, statistics) = await TakeOverAsync();

        Assert.Equal(Numbered(19).Where(name => name != "s5"), loop.Kept.Select(span => span.Key.Span));
        Assert.Equal((18, 2), (statistics.Recorded, statistics.Dropped));
        Assert.Empty(Files());
    }

    [Fact]
    public async Task A_file_whose_header_is_lost_is_sent_from_its_start()
    {
        await LeaveAsync(3);
        var file = Assert.Single(Files());
        var bytes = File.ReadAllBytes(file);
        bytes.AsSpan(0, 63).Clear();
        File.WriteAllBytes(file, bytes);

        var (loop, _) = await TakeOverAsync();

        Assert.Equal(Numbered(3), loop.Kept.Select(span => span.Key.Span));
    }

    [Fact]
    public async Task What_was_sent_already_is_not_sent_by_the_next_process()
    {
        var asked = 0;
        var loop = new ScriptedLoop
        {
            OnRecord = (_, _) => Interlocked.Increment(ref asked) > 2 ? throw new HttpRequestException("refused") : Task.CompletedTask,
        };
        var connection = new FlywheelConnection(loop, Quick(options => options.MaxBatch = 10));
        Add(connection, 0, 50);
        await connection.StoreAsync(Ct);
        await Eventually.IsAsync(() => connection.Statistics.FailedSends > 0, Ct);
        await connection.DisposeAsync();

        var (next, _) = await TakeOverAsync();

        Assert.Equal(Numbered(50), loop.Kept.Concat(next.Kept).Select(span => span.Key.Span));
        Assert.NotEmpty(loop.Kept);
    }

    [Fact]
    public async Task Two_connections_share_a_folder_and_each_span_is_sent_once()
    {
        var (one, other) = (new ScriptedLoop(), new ScriptedLoop());
        await using (var first = new FlywheelConnection(one, Quick()))
        await using (var second = new FlywheelConnection(other, Quick()))
        {
            for (var i = 0; i < 200; i++)
                (i % 2 == 0 ? first : second).Record(Spans.New(number: i));
            await first.FlushAsync(Ct);
            await second.FlushAsync(Ct);
            Assert.Equal(2, Files().Length);
        }

        Assert.Equal((100, 100), (one.Kept.Count, other.Kept.Count));
        Assert.Equal(200, one.Kept.Concat(other.Kept).Select(span => span.Key).Distinct().Count());
        Assert.Empty(Files());
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_costs_the_application_nothing_and_is_counted()
    {
        var heard = new List<FlywheelFailure>();
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        await File.WriteAllTextAsync(folder, "a file where the folder should be", Ct);
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Quick(options => options.OnFailure = failure =>
        {
            lock (heard)
                heard.Add(failure);
        }));
        var chat = new ScriptedChatClient("answer").UseFlywheel(connection, "n");

        var answer = await chat.GetResponseAsync([new(Microsoft.Extensions.AI.ChatRole.User, "hi")], cancellationToken: Ct);
        Add(connection, 0, 9);
        await connection.FlushAsync(Ct);

        Assert.Equal("answer", answer.Text);
        Assert.Equal(10, loop.Kept.Count);
        Assert.Equal((10, 10, 0), (connection.Statistics.Recorded, connection.Statistics.FailedStores, connection.Statistics.Dropped));
        lock (heard)
            Assert.Contains(heard, failure =>
                failure.Kind == FlywheelFailureKind.Outbox && failure.Message.Contains(folder, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_disk_that_is_full_for_a_while_loses_nothing()
    {
        var full = true;
        var connection = new FlywheelConnection(Away(), Quick(options => options.BeforeOutboxWrite = _ =>
        {
            if (Volatile.Read(ref full))
                throw new IOException("No space left on device");
        }));
        Add(connection, 0, 30);
        await Eventually.IsAsync(() => connection.Statistics.FailedStores > 0, Ct);
        Volatile.Write(ref full, false);
        await connection.StoreAsync(Ct);
        await connection.DisposeAsync();

        var (loop, _) = await TakeOverAsync();

        Assert.Equal(0, connection.Statistics.Dropped);
        Assert.Equal(Numbered(30), loop.Kept.Select(span => span.Key.Span));
    }

    [Fact]
    public async Task Beyond_the_bound_the_newest_spans_wait_in_memory_and_then_are_dropped_and_counted()
    {
        var connection = new FlywheelConnection(
            Away(), Quick(options =>
                (options.MaxOutboxBytes, options.MaxPending, options.MaxBatch, options.DrainTimeout) = (
                    4_000, 10, 5, TimeSpan.FromMilliseconds(50))));
        for (var i = 0; i < 100; i++)
        {
            Add(connection, i, 1);
            if (i % 5 == 0)
                await Task.Delay(10, Ct);
        }
        await Eventually.IsAsync(() => connection.Statistics.FailedStores > 0, Ct);
        await connection.DisposeAsync();
        var left = connection.Statistics;

        var (loop, _) = await TakeOverAsync();

        Assert.InRange(left.Stored, 5, 50);
        Assert.Equal(100, left.Stored + left.Dropped);
        Assert.Equal(left.Stored, loop.Kept.Select(span => span.Key).Distinct().Count());
        Assert.Equal(left.Stored, loop.Kept.Count);
    }

    [Fact]
    public async Task A_span_on_which_the_server_fails_for_ever_does_not_hold_up_the_others()
    {
        var loop = new ScriptedLoop
        {
            OnRecord = (spans, _) => spans.Any(span => span.Key.Span == "s5")
                ? throw new HttpRequestException("500", null, HttpStatusCode.InternalServerError) : Task.CompletedTask,
        };
        await using var connection = new FlywheelConnection(loop, Quick());
        Add(connection, 0, 20);
        await Eventually.IsAsync(() => loop.Kept.Count == 19, Ct);
        Add(connection, 20, 20);
        await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);

        Assert.Equal((39, 1, 0, 0),
            (connection.Statistics.Recorded, connection.Statistics.Rejected, connection.Statistics.Dropped, connection.Statistics.Pending));
        Assert.StartsWith("server_error", connection.Statistics.LastFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_fails_on_everything_for_a_while_refuses_nothing()
    {
        var failing = 200;
        var loop = new ScriptedLoop
        {
            OnRecord = (_, _) => Interlocked.Decrement(ref failing) >= 0
                ? throw new HttpRequestException("500", null, HttpStatusCode.InternalServerError) : Task.CompletedTask,
        };
        await using var connection = new FlywheelConnection(loop, Quick());
        Add(connection, 0, 20);
        await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);

        Assert.Equal(Numbered(20).Order(), loop.Kept.Select(span => span.Key.Span).Order());
        Assert.Equal((20, 0), (connection.Statistics.Recorded, connection.Statistics.Rejected));
    }

    [Fact]
    public async Task A_persons_decision_waits_for_the_server_and_arrives_once_under_its_key_in_its_order()
    {
        var up = false;
        await using var server = new RemoteTests.Server(
            (_, _) => Volatile.Read(ref up)
                ? (201, """{"accepted":1,"rejected":[],"id":"33333333-3333-7333-8333-333333333333"}""") : (503, ""));
        using var loop = new RemoteLoop(server.Address);
        var connection = new FlywheelConnection(loop, Quick());
        using var api = new FlywheelApi(connection);
        connection.Record(Spans.New());

        Assert.Null(await api.LabelAsync(
            new("t", "s0"), "polite", passed: false, LabelMode.Blind, author: "bo", idempotencyKey: "first", ct: Ct));
        Volatile.Write(ref up, true);
        await api.LabelAsync(new("t", "s0"), "polite", passed: true, LabelMode.Blind, author: "bo", idempotencyKey: "second", ct: Ct);
        await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);
        await connection.DisposeAsync();

        var taken = server.Requests.Where(seen => seen.IdempotencyKey is not null).Select(seen => seen.IdempotencyKey).ToList();
        Assert.Equal("second", taken[^1]);
        Assert.Equal("first", taken[^2]);
        Assert.Equal((0, 0, 1), (connection.Statistics.Stored, connection.Statistics.Pending, connection.Statistics.Recorded));
    }

    [Fact]
    public async Task A_persons_decision_survives_the_process()
    {
        string[] seen;
        using (var loop = new RemoteLoop(new("http://127.0.0.1:9")))
        await using (var connection = new FlywheelConnection(loop, Quick()))
        using (var api = new FlywheelApi(connection))
            Assert.Null(await api.CorrectAsync(new("t", "s"), "technical", author: "bo", idempotencyKey: "mine", ct: Ct));

        await using (var server = new RemoteTests.Server((_, _) => (201, """{"id":"33333333-3333-7333-8333-333333333333"}""")))
        using (var loop = new RemoteLoop(server.Address))
        await using (var connection = new FlywheelConnection(loop, Quick()))
        {
            await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);
            seen = [.. server.Requests.Select(one => $"{one.Path} {one.IdempotencyKey} {one.Body.GetRawText()}")];
        }

        Assert.Equal(["""/base/api/v1/corrections mine {"trace_id":"t","span_id":"s","corrected_output":"technical","author":"bo"}"""],
            seen);
    }

    [Fact]
    public async Task A_decision_that_the_server_refuses_later_is_kept_and_told_and_blocks_nothing()
    {
        var up = false;
        await using var server = new RemoteTests.Server((seen, _) => !Volatile.Read(ref up) ? (503, "")
            : seen.Path.EndsWith("labels", StringComparison.Ordinal) ? (422, """{"code":"unknown_metric","detail":"no metric `polite`"}""")
            : (201, """{"id":"33333333-3333-7333-8333-333333333333"}"""));
        using var loop = new RemoteLoop(server.Address);
        await using var connection = new FlywheelConnection(loop, Quick());
        using var api = new FlywheelApi(connection);
        await api.LabelAsync(new("t", "s"), "polite", passed: true, LabelMode.Blind, critique: "curt", idempotencyKey: "k1", ct: Ct);
        await api.FeedbackAsync("t", "s", "thumbs", true, idempotencyKey: "k2", ct: Ct);

        Volatile.Write(ref up, true);
        await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);

        Assert.Equal(1, connection.Statistics.Rejected);
        var kept = JsonElement.Parse(Assert.Single(await File.ReadAllLinesAsync(Path.Combine(folder, "refused.jsonl"), Ct)));
        Assert.Equal(("k1", "curt"), (kept.GetProperty("key").GetString(), kept.GetProperty("body").GetProperty("critique").GetString()));
        Assert.Contains(server.Requests, seen => seen.IdempotencyKey == "k2");
        // What is refused at once is still thrown: somebody is there to see it.
        await Assert.ThrowsAsync<BatchRefusedException>(() => api.LabelAsync(new("t", "s"), "polite", true, LabelMode.Blind, ct: Ct));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_said_of_a_span_at_once_does_not_overtake_it(bool hasOutbox)
    {
        var known = false;
        await using var server = new RemoteTests.Server((seen, _) =>
        {
            if (!seen.Path.EndsWith("spans", StringComparison.Ordinal))
                return Volatile.Read(ref known)
                    ? (201, """{"id":"33333333-3333-7333-8333-333333333333"}""") : (404, """{"code":"unknown_span"}""");
            Volatile.Write(ref known, true);
            return (200, """{"accepted":1,"rejected":[]}""");
        });
        using var loop = new RemoteLoop(server.Address);
        await using var connection = new FlywheelConnection(
            loop, Quick(options => (options.Outbox, options.MaxDelay) = (hasOutbox ? folder : null, TimeSpan.FromMilliseconds(100))));
        using var api = new FlywheelApi(connection);

        connection.Record(Spans.New());
        await api.FeedbackAsync("t", "s0", "thumbs", true, idempotencyKey: "k", ct: Ct);
        await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);

        Assert.Equal("k", server.Requests.Last().IdempotencyKey);
        Assert.Equal((1, 0, 0), (connection.Statistics.Recorded, connection.Statistics.Rejected, connection.Statistics.Stored));
        // A span that nobody is sending is still unknown.
        Volatile.Write(ref known, false);
        await Assert.ThrowsAsync<HttpRequestException>(() => api.FeedbackAsync("t", "nobody", "thumbs", true, ct: Ct));
    }

    [Fact]
    public async Task Its_files_are_for_their_own_user_only()
    {
        await LeaveAsync(1);

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Assert.Single(Files())));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        }
    }

    [Fact]
    public void Settings_that_cannot_work_are_said_at_once()
    {
        Assert.Throws<ArgumentException>(() => new FlywheelConnection(new ScriptedLoop(), new() { Outbox = " " }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new FlywheelConnection(new ScriptedLoop(), new() { Outbox = folder, MaxOutboxBytes = 0 }));
        Assert.Throws<ArgumentException>(() => new FlywheelApi(FlywheelConnection.To(new ScriptedLoop())));
    }
}
