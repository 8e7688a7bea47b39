using System.Diagnostics;
using Flywheel.Client;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

/// <summary>
/// What watching adds to a call, run by hand: <c>-class Flywheel.Tests.Client.OverheadMeasurement -explicit only -showliveoutput</c>.
/// </summary>
public sealed class OverheadMeasurement(ITestOutputHelper output)
{
    const int Calls = 20_000;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    sealed class InstantModel : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, "billing")));

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.CompletedTask;
            yield return new(ChatRole.Assistant, "billing");
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }

    sealed class InstantLoop(IReadOnlyList<ChosenDemonstration> chosen) : ILoop
    {
        public Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct) =>
            Task.FromResult(chosen);

        public Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct) => Task.FromResult(GuardAnswer.Unguarded(query.Input));

        public Task RecordAsync(IReadOnlyList<Flywheel.Core.Traces.NewSpan> spans, CancellationToken ct) => Task.CompletedTask;
    }

    [Fact(Explicit = true)]
    public async Task Overhead_per_call()
    {
        var chosen = Enumerable.Range(0, 8)
            .Select(i => new ChosenDemonstration(Guid.CreateVersion7(), $"message {i} " + new string('x', 80), "billing", false, i, []))
            .ToList();
        await using var connection = new FlywheelConnection(
            new InstantLoop(chosen), new() { MaxPending = 10 * Calls, MaxPendingCharacters = long.MaxValue });
        var folder = Directory.CreateTempSubdirectory("flywheel-overhead-").FullName;
        await using var durable = new FlywheelConnection(
            new InstantLoop(chosen), new() { MaxPending = 10 * Calls, MaxPendingCharacters = long.MaxValue, Outbox = folder });
        IChatClient bare = new InstantModel();
        var runs = new (string Name, IChatClient Chat)[]
        {
            ("bare", bare),
            ("recorded", bare.UseFlywheel(connection, "a", configure: o => o.UseDemonstrations = false)),
            ("recorded, no messages",
                bare.UseFlywheel(connection, "b", configure: o => (o.UseDemonstrations, o.RecordMessages) = (false, false))),
            ("recorded, 8 demonstrations", bare.UseFlywheel(connection, "c")),
            ("recorded, outbox", bare.UseFlywheel(durable, "d", configure: o => o.UseDemonstrations = false)),
            ("recorded, outbox, 8 dem.", bare.UseFlywheel(durable, "e")),
        };

        foreach (var (name, chat) in runs.Concat(runs))
        {
            var times = new double[Calls];
            for (var i = 0; i < Calls; i++)
            {
                var start = Stopwatch.GetTimestamp();
                await chat.GetResponseAsync(
                    [new(ChatRole.System, "Answer with one of: billing, technical, general."),
                        new(ChatRole.User, "Why was I charged twice this month?")],
                    cancellationToken: Ct);
                times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            }
            Array.Sort(times);
            output.WriteLine($"{name,-28} p50 {times[Calls / 2],7:0.00} us   p99 {times[Calls * 99 / 100],8:0.00} us");
        }
        await connection.FlushAsync(Ct);
        await durable.FlushAsync(Ct);
        await durable.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        Assert.Equal((0, 0, 4 * Calls), (durable.Statistics.Dropped, durable.Statistics.FailedStores, durable.Statistics.Recorded));
        Assert.Equal(0, connection.Statistics.Dropped);
        Assert.Equal(6 * Calls, connection.Statistics.Recorded);
    }
}
