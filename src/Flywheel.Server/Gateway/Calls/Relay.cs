using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Flywheel.Server.Gateway.Upstreams;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>How an attempt ended.</summary>
/// <param name="Fault">Null when the answer is whole.</param>
/// <param name="HasBegun">The client has seen a part of the answer, so nothing else can be tried.</param>
readonly record struct RelayEnd(Fault? Fault, bool HasBegun);

/// <summary>Passes a provider's reply to the client as bytes, and reads along.</summary>
sealed class Relay(CallRecorder recorder, AnswerCache cache, GatewayOptions options, TimeProvider clock)
{
    const int FirstBuffer = 16 * 1024;

    /// <summary>Longer than any event that a provider sends, the closing one of a response included.</summary>
    const int MaxEvent = 8 * 1024 * 1024;

    readonly long _maxReply = options.MaxReplyMegabytes * 1024L * 1024;

    /// <summary>A plain answer: read whole, checked, recorded, then given.</summary>
    public async Task<RelayEnd> WholeAsync(
        HttpContext http, GatewayCall call, HttpResponseMessage response, TimeSpan idle, UpstreamTimeouts patience, string? cacheKey)
    {
        var stream = await response.Content.ReadAsStreamAsync(patience.Token);
        var expected = response.Content.Headers.ContentLength;
        if (expected > _maxReply)
            return new(Fault.TooLarge(_maxReply), false);
        var buffer = ArrayPool<byte>.Shared.Rent((int)(expected ?? FirstBuffer) + 1);
        var length = 0;
        try
        {
            patience.For("the end of its reply", idle);
            while (await stream.ReadAsync(buffer.AsMemory(length), patience.Token) is var read and > 0)
            {
                length += read;
                if (length > _maxReply)
                    return new(Fault.TooLarge(_maxReply), false);
                if (length == buffer.Length)
                    buffer = Grown(buffer, length);
            }
            call.FirstPiece = clock.GetElapsedTime(call.Started);
            if (Unreadable(call, buffer.AsSpan(0, length)) is { } fault)
                return new(fault, false);
            if (cacheKey is not null)
            {
                cache.Keep(cacheKey, buffer.AsSpan(0, length), TimeSpan.FromSeconds(call.Rules.Settings.CacheSeconds!.Value));
                call.Cache = "store";
            }
            AnswerHeaders.Pass(response, http.Response);
            await GiveAsync(http, call, buffer.AsMemory(0, length), recorder);
            return new(null, true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Records the call, then sends a whole JSON answer.</summary>
    public static async Task GiveAsync(HttpContext http, GatewayCall call, ReadOnlyMemory<byte> answer, CallRecorder recorder)
    {
        if (!await recorder.RecordAsync(call))
            http.Response.Headers["x-flywheel-recorded"] = "pending";
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = answer.Length;
        await http.Response.Body.WriteAsync(answer, http.RequestAborted);
    }

    static Fault? Unreadable(GatewayCall call, ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
            return Fault.Malformed("it is empty");
        if (!Utf8.IsValid(body))
            return Fault.Malformed("it is no UTF-8");
        var reply = call.Protocol.NewReply();
        try
        {
            if (reply.ReadWhole(body) is { } why)
                return Fault.Malformed(why);
        }
        catch (JsonException)
        {
            return Fault.Malformed("it is no JSON, or nested too deeply");
        }
        if (reply.Failure is { } failure)
            return Reported(call, failure);
        call.Reply = reply;
        return null;
    }

    /// <summary>A stream: each piece goes on as soon as it comes; the closing event waits for the record.</summary>
    public async Task<RelayEnd> StreamAsync(
        HttpContext http, GatewayCall call, HttpResponseMessage response, TimeSpan idle, UpstreamTimeouts patience)
    {
        if (response.Content.Headers.ContentType?.MediaType is { } type && type != "text/event-stream")
            return new(await InsteadAsync(call, response, type, idle, patience), false);
        var stream = await response.Content.ReadAsStreamAsync(patience.Token);
        var reply = call.Protocol.NewReply();
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        int start = 0, end = 0;
        var total = 0L;
        var waiting = 0;
        bool begun = false, reads = false;
        try
        {
            patience.For("its first event", idle);
            while (true)
            {
                var reading = Read();
                reads = !reading.IsCompleted;
                // What is there already goes on together; nothing waits for what is not.
                if (reads || waiting >= FirstBuffer)
                    await FlushAsync();
                int read;
                try
                {
                    read = await reading;
                }
                catch (Exception cut) when (cut is IOException or HttpRequestException)
                {
                    await FlushAsync();
                    return new(Fault.Broken, begun);
                }
                finally
                {
                    reads = false;
                }
                if (read == 0)
                    break;
                total += read;
                end += read;
                if (total > _maxReply)
                {
                    await FlushAsync();
                    return new(Fault.TooLarge(_maxReply), begun);
                }

                var passFrom = start;
                var came = false;
                while (EventStream.TryRead(buffer.AsSpan(start, end - start), out var found))
                {
                    came = true;
                    var meaning = Understand(reply, buffer.AsSpan(start, found.Length), found, out var emptyUsage, out var why);
                    if (meaning is EventMeaning.Malformed || (meaning is EventMeaning.Failure && !begun))
                    {
                        Pass(passFrom, start);
                        await FlushAsync();
                        return new(meaning is EventMeaning.Failure ? Reported(call, reply.Failure!) : Fault.Malformed(why!), begun);
                    }
                    if (!begun)
                        Begin();
                    if (meaning is EventMeaning.End or EventMeaning.Failure)
                    {
                        Pass(passFrom, start);
                        await FlushAsync();
                        return await EndAsync(http, call, reply, buffer.AsMemory(start, found.Length));
                    }
                    if (call.HidesUsage && (meaning is EventMeaning.Usage || emptyUsage.IsPresent))
                    {
                        Pass(passFrom, start);
                        if (meaning is not EventMeaning.Usage)
                        {
                            Pass(start, start + found.Data.Start + emptyUsage.Start);
                            Pass(start + found.Data.Start + emptyUsage.End, start + found.Length);
                        }
                        passFrom = start + found.Length;
                    }
                    start += found.Length;
                }
                Pass(passFrom, start);
                if (came)
                    patience.For("its next event", idle);
                if (start > 0)
                {
                    buffer.AsSpan(start, end - start).CopyTo(buffer);
                    (start, end) = (0, end - start);
                }
                if (end == buffer.Length)
                {
                    if (end >= MaxEvent)
                    {
                        await FlushAsync();
                        return new(Fault.Malformed("an event has no end"), begun);
                    }
                    buffer = Grown(buffer, end);
                }

                void Pass(int from, int to)
                {
                    if (to <= from)
                        return;
                    http.Response.BodyWriter.Write(buffer.AsSpan(from, to - from));
                    waiting += to - from;
                }
            }
            await FlushAsync();
            // Some servers close without [DONE]; an answer that says it is finished is whole.
            return begun && reply.HasFinished
                ? await EndAsync(http, call, reply, default)
                : new(begun ? Fault.Broken : Fault.Malformed("the stream is empty"), begun);
        }
        finally
        {
            // A read that nobody waited for may still write into it.
            if (!reads)
                ArrayPool<byte>.Shared.Return(buffer);
        }

        ValueTask<int> Read()
        {
            try
            {
                return stream.ReadAsync(buffer.AsMemory(end), patience.Token);
            }
            catch (Exception cut) when (cut is IOException or HttpRequestException)
            {
                return ValueTask.FromException<int>(cut);
            }
        }

        // A client that reads slowly is not the provider's fault: its time does not run meanwhile.
        async ValueTask FlushAsync()
        {
            if (waiting == 0)
                return;
            waiting = 0;
            var flushing = http.Response.BodyWriter.FlushAsync(http.RequestAborted);
            if (flushing.IsCompletedSuccessfully)
            {
                _ = flushing.Result;
                return;
            }
            patience.Rest();
            await flushing;
            patience.For("its next event", idle);
        }

        void Begin()
        {
            begun = true;
            call.Reply = reply;
            call.FirstPiece = clock.GetElapsedTime(call.Started);
            http.Response.ContentType = "text/event-stream";
            http.Response.Headers.CacheControl = "no-cache";
            AnswerHeaders.Pass(response, http.Response);
        }
    }

    /// <summary>A provider that wants to say why there is no stream does so in one piece of JSON.</summary>
    static async Task<Fault> InsteadAsync(
        GatewayCall call, HttpResponseMessage response, string type, TimeSpan idle, UpstreamTimeouts patience)
    {
        if (type.EndsWith("json", StringComparison.Ordinal))
        {
            patience.For("the end of its reply", idle);
            if (Reply.FailureIn(await UpstreamClient.ReadAsync(response, patience.Token)) is { } failure)
                return Reported(call, failure);
        }
        return Fault.Malformed($"a stream was asked for, and {type} came");
    }

    static Fault Reported(GatewayCall call, string failure) => Fault.Reported(UpstreamClient.Without(failure, call.Route!.Upstream.Key));

    async Task<RelayEnd> EndAsync(HttpContext http, GatewayCall call, Reply reply, ReadOnlyMemory<byte> closing)
    {
        if (reply.Failure is { } failure)
            call.Fail("upstream_error", UpstreamClient.Without(failure, call.Route!.Upstream.Key));
        await recorder.RecordAsync(call);
        // Not flushed: it leaves with the end of the body in one piece.
        http.Response.BodyWriter.Write(closing.Span);
        return new(null, true);
    }

    static EventMeaning Understand(Reply reply, ReadOnlySpan<byte> whole, StreamEvent found, out JsonSlice emptyUsage, out string? why)
    {
        (emptyUsage, why) = (default, null);
        if (!found.Data.IsPresent)
            return EventMeaning.Piece;
        if (!Utf8.IsValid(whole))
        {
            why = "an event is no UTF-8";
            return EventMeaning.Malformed;
        }
        try
        {
            var meaning = reply.ReadEvent(found.HasManyLines ? EventStream.Join(whole) : found.Data.Of(whole), out emptyUsage);
            if (found.HasManyLines)
                emptyUsage = default;
            why = "an event has another schema";
            return meaning;
        }
        catch (JsonException)
        {
            why = "an event is no JSON";
            return EventMeaning.Malformed;
        }
    }

    static byte[] Grown(byte[] buffer, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
