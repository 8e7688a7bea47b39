using System.Net;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Recording;

/// <summary>What became of spans that were sent together.</summary>
/// <param name="Rejected">Those of them that were refused for good.</param>
/// <param name="Refusal">What was thrown; null when nothing was.</param>
/// <param name="IsWithLoop">False when they are safe, but not with the loop: on disk, or back in their queue.</param>
internal readonly record struct Answered(int Spans, IReadOnlyList<RejectedSpan> Rejected, Exception? Refusal, bool IsWithLoop);

/// <summary>Gives spans away, and repeats it until there is an answer for every one of them.</summary>
/// <param name="record">True when the loop has them, false when they are safe elsewhere.</param>
/// <param name="answered">Told once of each span, whatever its outcome.</param>
/// <param name="putBack">Puts a span behind all others that wait, to be sent later; false when there are none.</param>
/// <param name="closing">Ends when nothing more will come: it cuts one pause short, for a last try.</param>
/// <param name="leavesWhenClosing">True gives up after that last try instead of repeating it, because the spans are safe.</param>
internal sealed class Delivery(
    Func<IReadOnlyList<NewSpan>, CancellationToken, Task<bool>> record, Action<Answered> answered, Func<NewSpan, bool> putBack,
    FlywheelOptions options, Counters counters, Task closing, CancellationToken stop, bool leavesWhenClosing = false)
{
    /// <summary>A server that fails this often on the same spans, while it answers, may be failing because of one of them.</summary>
    const int FaultsBeforeSuspicion = 5;

    readonly BackOff backOff = new(options.FirstRetry, options.MaxRetry, Random.Shared);
    readonly Dictionary<SpanKey, long> suspects = [];
    long successes;
    bool hurried;

    /// <exception cref="OperationCanceledException">Stopped, or left for good; what was not answered is still the caller's.</exception>
    public async Task SendAsync(IReadOnlyList<NewSpan> spans)
    {
        if (spans.Count == 0)
            return;
        var faults = 0;
        for (var attempt = 0; ; attempt++)
        {
            var last = closing.IsCompleted;
            TimeSpan pause;
            var told = false;
            try
            {
                var isWithLoop = await TimelyAsync(ct => record(spans, ct)).ConfigureAwait(false);
                successes++;
                answered(new(spans.Count, [], null, isWithLoop));
                return;
            }
            catch (SpansRejectedException refused)
            {
                successes++;
                answered(new(spans.Count, refused.Rejected, refused, true));
                return;
            }
            catch (Exception refused) when (refused is BatchRefusedException or ArgumentException)
            {
                if (spans.Count > 1)
                    await HalvesAsync(spans).ConfigureAwait(false);
                else
                    answered(new(1, [new(spans[0], (refused as BatchRefusedException)?.Code ?? "invalid", refused.Message)], refused,
                        true));
                return;
            }
            catch (Exception failure) when (!stop.IsCancellationRequested)
            {
                counters.Failed(new(FlywheelFailureKind.Send, $"Sending {spans.Count} span(s) failed: {failure.Message}", failure));
                faults = failure is HttpRequestException { StatusCode: HttpStatusCode.InternalServerError } ? faults + 1 : 0;
                if (faults >= FaultsBeforeSuspicion && await ToldApartAsync(spans, failure).ConfigureAwait(false))
                    return;
                told = failure is OverloadedException;
                pause = failure is OverloadedException full ? BackOff.Told(full.RetryAfter) : backOff.Next(attempt);
            }
            if (leavesWhenClosing && last)
                throw new OperationCanceledException("Closing, and the last try failed.");
            await PauseAsync(pause, mayHurry: !told).ConfigureAwait(false);
        }
    }

    /// <summary>The call, for no longer than the time of a send; one that does not come back is left alone.</summary>
    public async Task<T> TimelyAsync<T>(Func<CancellationToken, Task<T>> call)
    {
        var deadline = new CancellationTokenSource();
        var calling = call(deadline.Token);
        try
        {
            return await calling.WaitAsync(options.SendTimeout, options.Time, stop).ConfigureAwait(false);
        }
        finally
        {
            if (!calling.IsCompleted)
                Abandon(calling, deadline);
        }
    }

    /// <summary>
    /// The pause before the next try. Closing cuts one of ours short, for a last try; one that the server asked for stands.
    /// </summary>
    public async Task PauseAsync(TimeSpan pause, bool mayHurry)
    {
        var delay = Task.Delay(pause, options.Time, stop);
        if (mayHurry && !hurried)
        {
            await Task.WhenAny(delay, closing).ConfigureAwait(false);
            hurried = closing.IsCompleted;
        }
        else if (leavesWhenClosing)
        {
            await Task.WhenAny(delay, closing).ConfigureAwait(false);
            if (closing.IsCompleted)
                throw new OperationCanceledException("Closing while a pause that the server asked for lasts.");
        }
        else
            await delay.ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
    }

    public TimeSpan PauseAfter(int attempt) => backOff.Next(attempt);

    async Task HalvesAsync(IReadOnlyList<NewSpan> spans)
    {
        var half = spans.Count / 2;
        await SendAsync([.. spans.Take(half)]).ConfigureAwait(false);
        await SendAsync([.. spans.Skip(half)]).ConfigureAwait(false);
    }

    /// <summary>
    /// An outage fails on everything, a span that the server cannot bear on that span only. So a batch is halved, a span alone goes
    /// behind the others, and one that fails again after others went through is given up.
    /// </summary>
    async Task<bool> ToldApartAsync(IReadOnlyList<NewSpan> spans, Exception failure)
    {
        if (spans.Count > 1)
        {
            await HalvesAsync(spans).ConfigureAwait(false);
            return true;
        }
        var span = spans[0];
        if (suspects.TryGetValue(span.Key, out var before) && successes > before)
        {
            suspects.Remove(span.Key);
            answered(new(1, [new(span, "server_error", $"The server fails on this span and on no other: {failure.Message}")], failure,
                true));
            return true;
        }
        if (!putBack(span))
            return false;
        suspects[span.Key] = successes;
        answered(new(1, [], failure, false));
        return true;
    }

    /// <summary>Leaves a call that does not come back: it is asked to stop, and what it throws later is nobody's.</summary>
    static void Abandon(Task call, CancellationTokenSource deadline)
    {
        _ = call.ContinueWith(
            static late => _ = late.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _ = deadline.CancelAsync();
    }
}
