using System.Globalization;
using Flywheel.Server.Gateway.Upstreams;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>Tries models until one answers, and tells the client how it ended.</summary>
sealed class ModelCaller(UpstreamClient upstreams, Relay relay, AnswerCache cache, CallRecorder recorder, TimeProvider clock)
{
    /// <summary>A provider that wants a longer pause is left to the client, which gets its Retry-After.</summary>
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    public async Task CallAsync(HttpContext http, GatewayCall call, List<ModelRoute> wanted, BodyEdits edits)
    {
        call.Preparation = clock.GetElapsedTime(call.Started);
        var settings = call.Rules.Settings;
        var time = settings.TimeoutSeconds is { } own ? TimeSpan.FromSeconds(own) : wanted[0].Upstream.Timeout;
        var deadline = call.Started + (long)(time.TotalSeconds * clock.TimestampFrequency);
        Fault? last = null;
        var retried = 0;
        for (var which = 0; which < wanted.Count; which++)
        {
            call.Route = wanted[which];
            Edit(call, edits);
            if (await AnswerFromCacheAsync(http, call))
                return;
            for (var tries = 0; ; tries++)
            {
                var begun = clock.GetTimestamp();
                call.Status = null;
                var end = await AttemptAsync(http, call, deadline);
                if (end.Fault is null)
                    return;
                last = end.Fault;
                call.Failed.Add(new FailedAttempt(
                    call.Route.Upstream.Name, call.Route.Model, last.Code, last.UpstreamStatus,
                    clock.GetElapsedTime(begun).TotalMilliseconds));
                if (http.RequestAborted.IsCancellationRequested)
                {
                    await LeftAsync(call);
                    return;
                }
                if (end.HasBegun)
                {
                    await BreakOffAsync(http, call, last);
                    return;
                }
                if (!last.Retry || tries >= settings.Retries || retried >= Core.Gateway.GatewaySettings.MostRetries
                    || !await PauseAsync(last, tries, deadline, http.RequestAborted))
                    break;
                retried++;
            }
            if (!last.FallBack || clock.GetTimestamp() >= deadline)
                break;
        }
        if (http.RequestAborted.IsCancellationRequested)
        {
            await LeftAsync(call);
            return;
        }
        call.Fail(last!.Code, last.Message);
        await ErrorAsync(http, call, recorder, last.Status, last.Code, last.Message, last.Body, last.RetryAfter);
    }

    /// <summary>The body for this route: its model's name, what preparation wants, usage for streams.</summary>
    static void Edit(GatewayCall call, BodyEdits prepared)
    {
        var (route, outline) = (call.Route!, call.Outline);
        var edits = prepared.Copy();
        if (route.Model != outline.Model)
            edits.Replace(outline.ModelValue, PromptPreparation.Quoted(route.Model));
        call.HidesUsage = outline.Stream && call.Protocol.UsageOnRequest && !outline.IncludesUsage && route.Upstream.StreamUsage;
        if (call.HidesUsage)
        {
            var options = outline.StreamOptions;
            if (options.IsPresent)
                edits.Replace(options, "{\"include_usage\":true}"u8.ToArray());
            else
                edits.Insert(outline.FirstMember, "\"stream_options\":{\"include_usage\":true},"u8.ToArray());
        }
        if (edits.Any)
        {
            call.Body = edits.Apply(call.Original.Span);
            call.Prompt = edits.Moved(outline.Prompt);
        }
        else
        {
            (call.Body, call.Prompt) = (call.Original, outline.Prompt);
        }
    }

    async Task<RelayEnd> AttemptAsync(HttpContext http, GatewayCall call, long deadline)
    {
        var (route, settings) = (call.Route!, call.Rules.Settings);
        var idle = settings.IdleSeconds is { } own ? TimeSpan.FromSeconds(own) : route.Upstream.Idle;
        using var patience = new UpstreamTimeouts(deadline, clock, http.RequestAborted);
        patience.For("the beginning of its reply",
            settings.FirstByteSeconds is { } first ? TimeSpan.FromSeconds(first) : route.Upstream.FirstByte);
        try
        {
            using var response = await upstreams.PostAsync(
                route.Upstream, call.Protocol.Path, call.Body, call.Trace.Outgoing, patience.Token);
            call.Status = (int)response.StatusCode;
            if (!response.IsSuccessStatusCode)
                return new(await UpstreamClient.FaultOfAsync(response, route.Upstream, patience.Token), false);
            return call.Outline.Stream
                ? await relay.StreamAsync(http, call, response, idle, patience)
                : await relay.WholeAsync(
                    http, call, response, idle, patience, settings.CacheSeconds > 0 ? AnswerCache.KeyOf(call, route) : null);
        }
        catch (OperationCanceledException) when (patience.Token.IsCancellationRequested)
        {
            return new(Fault.Timeout(patience.Complaint), http.Response.HasStarted);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return new(Fault.Of(fault), http.Response.HasStarted);
        }
    }

    async Task<bool> AnswerFromCacheAsync(HttpContext http, GatewayCall call)
    {
        if (call.Rules.Settings.CacheSeconds is not > 0 || call.Outline.Stream
            || cache.Find(AnswerCache.KeyOf(call, call.Route!)) is not { } kept)
            return false;
        var reply = call.Protocol.NewReply();
        reply.ReadWhole(kept);
        (call.Reply, call.Cache) = (reply, "hit");
        http.Response.Headers["x-flywheel-cache"] = "hit";
        await Relay.GiveAsync(http, call, kept, recorder);
        return true;
    }

    /// <returns>False when it is not worth waiting.</returns>
    async Task<bool> PauseAsync(Fault fault, int tries, long deadline, CancellationToken ct)
    {
        var pause = RetryAfter(fault.RetryAfter) ?? FirstPause * (1 << tries) * (0.75 + 0.5 * Random.Shared.NextDouble());
        if (pause > LongestPause || pause > clock.GetElapsedTime(clock.GetTimestamp(), deadline))
            return false;
        await Task.Delay(pause, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !ct.IsCancellationRequested;
    }

    TimeSpan? RetryAfter(string? header)
    {
        if (double.TryParse(header, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            return TimeSpan.FromSeconds(Math.Min(seconds, 86_400));
        return DateTimeOffset.TryParseExact(header, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at > clock.GetUtcNow() ? at - clock.GetUtcNow() : TimeSpan.Zero
            : null;
    }

    async Task LeftAsync(GatewayCall call)
    {
        call.Fail("client_left", "The client went away before the answer was whole.");
        await recorder.RecordAsync(call);
    }

    /// <summary>The client has a part of the answer already: an event says why there is no more, and no closing one follows.</summary>
    async Task BreakOffAsync(HttpContext http, GatewayCall call, Fault fault)
    {
        call.Fail(fault.Code, fault.Message);
        await recorder.RecordAsync(call);
        await http.Response.Body.WriteAsync(call.Protocol.FailureEvent(fault.Code, fault.Message), http.RequestAborted);
    }

    /// <param name="body">The provider's own error; null writes one.</param>
    public static async Task ErrorAsync(
        HttpContext http, GatewayCall call, CallRecorder recorder, int status, string code, string message, byte[]? body,
        string? retryAfter)
    {
        var response = http.Response;
        response.StatusCode = status;
        if (retryAfter is not null)
            response.Headers.RetryAfter = retryAfter;
        // What could be tried again here was: a client that does it too would only multiply the calls.
        if (status != 429)
            response.Headers["x-should-retry"] = "false";
        await Relay.GiveAsync(http, call, body ?? GatewayError.Write(status, code, message), recorder);
    }
}
