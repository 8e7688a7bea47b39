using Flywheel.Core.Observability;
using Flywheel.Core.Traces;
using Flywheel.Engine.Traces;
using Flywheel.Server.Gateway.Upstreams;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>Makes a call a span, durably, before the client has the end of its answer.</summary>
/// <remarks>
/// An answer waits for the commit, but not for ever: when the database takes longer than `record_seconds`, or its queue is full, the
/// answer goes out marked as pending, and the record is tried again until it is stored or the process ends. With 0 no answer waits: a
/// process that is killed then loses the records of its last milliseconds.
/// </remarks>
sealed class CallRecorder(SpanIntake intake, TimeProvider clock, GatewayOptions options, ILogger<CallRecorder> log)
{
    const int MaxPending = 10_000;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    static readonly Task<bool> PendingRecords = Task.FromResult(false);

    readonly TimeSpan _patience = TimeSpan.FromSeconds(options.RecordSeconds);
    int _pending;

    /// <summary>Records that outlive their call.</summary>
    public int Pending => Volatile.Read(ref _pending);

    /// <returns>False when the span is not durable yet.</returns>
    public async Task<bool> RecordAsync(GatewayCall call)
    {
        var started = clock.GetTimestamp();
        var isDurable = await WaitAsync(call);
        FlywheelMeter.GatewayOverhead.Record((call.Preparation + clock.GetElapsedTime(started)).TotalSeconds);
        FlywheelMeter.GatewayDuration.Record(
            clock.GetElapsedTime(call.Started).TotalSeconds,
            new KeyValuePair<string, object?>(FlywheelMeter.Outcome, call.ErrorCode is null ? "ok" : "error"));
        return isDurable;
    }

    Task<bool> WaitAsync(GatewayCall call)
    {
        var storing = StoreAsync(call, SpanOf(call));
        return storing.IsCompleted ? storing : _patience == TimeSpan.Zero ? PendingRecords : WithinAsync(storing);
    }

    async Task<bool> WithinAsync(Task<bool> storing)
    {
        try
        {
            return await storing.WaitAsync(_patience, clock);
        }
        catch (TimeoutException)
        {
            // It may have ended in the moment between.
            return storing.IsCompletedSuccessfully && await storing;
        }
    }

    async Task<bool> StoreAsync(GatewayCall call, NewSpan span)
    {
        try
        {
            return await AddAsync(call, span);
        }
        catch (Exception fault)
        {
            if (fault is not OverloadedException)
                log.LogError(fault, "The span {Span} could not be stored; trying again", span.Key);
            return StoreLater(call, span);
        }
    }

    /// <returns>False when the span was refused, which is said once.</returns>
    async Task<bool> AddAsync(GatewayCall call, NewSpan span)
    {
        var results = await intake.AddAsync(call.Caller.Project, [span], CancellationToken.None);
        if (results[0].Refusal is { } refusal)
            log.LogCritical("The span {Span} is lost: {Message}", span.Key, refusal.Message);
        return results[0].IsKept;
    }

    bool StoreLater(GatewayCall call, NewSpan span)
    {
        if (Interlocked.Increment(ref _pending) > MaxPending)
        {
            Interlocked.Decrement(ref _pending);
            log.LogCritical("The span {Span} is lost: {Pending} others wait for the database already", span.Key, MaxPending);
            return false;
        }
        _ = RetryAsync(call, span);
        return false;
    }

    async Task RetryAsync(GatewayCall call, NewSpan span)
    {
        try
        {
            for (var pause = Pause; ; pause = pause < TimeSpan.FromSeconds(5) ? pause * 2 : pause)
            {
                await Task.Delay(pause, clock);
                try
                {
                    await AddAsync(call, span);
                    return;
                }
                catch (ObjectDisposedException)
                {
                    log.LogCritical("The span {Span} is lost: the server stops and the database did not take it", span.Key);
                    return;
                }
                catch (Exception fault)
                    when (fault is OverloadedException or System.Data.Common.DbException or TimeoutException or IOException)
                {
                    // Told once, when it failed for the first time.
                }
                catch (Exception fault)
                {
                    log.LogCritical(fault, "The span {Span} is lost: the database refuses it", span.Key);
                    return;
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }

    NewSpan SpanOf(GatewayCall call)
    {
        var reply = call.Reply;
        var (input, output) = (reply?.InputTokens, reply?.OutputTokens);
        var estimated = false;
        if (reply is { HasContent: true } && output is null)
        {
            output = TokenEstimate.Of(reply.WrittenText());
            input ??= TokenEstimate.OfBytes(call.Prompt.Length);
            estimated = true;
        }
        var question = call.Guarded is null
            && call.Question is not null ? call.Question : Conversation.Question(call.Body.Span, call.Prompt);
        return new NewSpan
        {
            Key = new SpanKey(call.Trace.Trace, call.Trace.Span),
            ParentId = call.Trace.Parent,
            Node = call.Node,
            Kind = call.Kind,
            Input = Storable(question),
            Output = Storable(reply?.OutputText()),
            Error = Storable(call.Error),
            StartedAt = call.StartedAt,
            DurationMs = clock.GetElapsedTime(call.Started).TotalMilliseconds,
            Session = call.Session,
            EndUser = call.EndUser,
            Model = Name(reply?.Model) ?? Name(call.Route?.Model) ?? Name(call.RequestedModel),
            InputTokens = input,
            OutputTokens = output,
            CostUsd = call.Cache == "hit" ? 0 : CostOf(call, input, output),
            Attributes = SpanAttributes.Write(call, estimated),
            Demonstrations = call.Demonstrations.Count == 0 ? [] : [.. call.Demonstrations.Select(one => one.Id)],
        };
    }

    /// <summary>A call is recorded even if its text is too long or no valid Unicode.</summary>
    static string? Storable(string? text) =>
        StorableText.Of(text?.Length > SpanRules.MaxTextLength ? text[..SpanRules.MaxTextLength] : text);

    static string? Name(string? name) => name is not null && SpanRules.Name(name, SpanRules.MaxNameLength) is null ? name : null;

    static double? CostOf(GatewayCall call, int? input, int? output)
    {
        if (call.Route?.Price is not { } price || (input is null && output is null))
            return null;
        var cached = Math.Min(call.Reply?.CachedTokens ?? 0, input ?? 0);
        return ((input ?? 0) - cached) * price.Input / 1e6 + cached * (price.CachedInput ?? price.Input) / 1e6
            + (output ?? 0) * price.Output / 1e6;
    }
}
