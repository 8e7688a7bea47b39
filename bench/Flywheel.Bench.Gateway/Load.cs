using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Flywheel.Bench.Gateway;

/// <param name="Rps">Complete answers a second.</param>
/// <param name="FirstByteMs">Median time to the first byte of the body.</param>
sealed record LoadResult(double Rps, long Answers, long Failures, double P50Ms, double P99Ms, double FirstByteMs);

/// <summary>A lean HTTP/1.1 client with kept connections, so that the load costs the machine little beside the gateways.</summary>
/// <param name="perSecond">Calls a second, evenly spaced; null for as many as the clients get answered.</param>
sealed class Load(Target target, bool stream, int clients, double? perSecond)
{
    readonly Uri chat = target.Chat;
    readonly List<(double Whole, double First)> _times = [];
    long _failures;
    long _next;

    public async Task<LoadResult> RunAsync(TimeSpan length)
    {
        var started = Stopwatch.GetTimestamp();
        var until = started + (long)(length.TotalSeconds * Stopwatch.Frequency);
        _next = started;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(i => Task.Run(() => ClientAsync(i, until))));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var whole = _times.Select(time => time.Whole).Order().ToArray();
        var first = _times.Select(time => time.First).Order().ToArray();
        double At(double[] sorted, double share) => sorted.Length == 0 ? 0 : sorted[(int)(sorted.Length * share)];
        return new(whole.Length / seconds, whole.Length, _failures, At(whole, 0.5), At(whole, 0.99), At(first, 0.5));
    }

    async Task ClientAsync(int client, long until)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new
        {
            model = "mock-1", stream,
            messages = new[]
            {
                new { role = "system",
                    content = string.Concat(Enumerable.Repeat("You answer questions of customers about invoices. ", 16)) },
                new { role = "user", content = $"Client {client} asks why the invoice of last month was charged twice and when the money "
                    + "comes back to the card." },
            },
        });
        byte[] request = [.. Encoding.ASCII.GetBytes(
            $"POST {chat.AbsolutePath} HTTP/1.1\r\nHost: {chat.Authority}\r\n{target.Headers}Content-Type: "
                + $"application/json\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];
        var buffer = new byte[1 << 16];
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(chat.Host, chat.Port);
        while (await TurnAsync(until))
        {
            var sent = Stopwatch.GetTimestamp();
            await socket.SendAsync(request);
            var (ok, first) = await AnswerAsync(socket, buffer, sent);
            lock (_times)
                if (ok)
                    _times.Add((Stopwatch.GetElapsedTime(sent).TotalMilliseconds, first));
                else
                    _failures++;
        }
    }

    /// <summary>Waits for the next call's time; false when the run is over.</summary>
    async Task<bool> TurnAsync(long until)
    {
        if (perSecond is not { } rate)
            return Stopwatch.GetTimestamp() < until;
        var mine = Interlocked.Add(ref _next, (long)(Stopwatch.Frequency / rate));
        if (mine >= until)
            return false;
        var wait = TimeSpan.FromSeconds((double)(mine - Stopwatch.GetTimestamp()) / Stopwatch.Frequency);
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait);
        return true;
    }

    async Task<(bool Ok, double FirstMs)> AnswerAsync(Socket socket, byte[] buffer, long sent)
    {
        int have = 0, body = -1, length = -1;
        var first = 0.0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(have));
            if (read == 0)
                throw new IOException($"{chat.Authority} closed the connection.");
            have += read;
            if (body < 0 && buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8) is var head and >= 0)
            {
                body = head + 4;
                foreach (var line in Encoding.ASCII.GetString(buffer, 0, head).Split("\r\n"))
                    if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
                        length = int.Parse(line[15..]);
            }
            if (body < 0)
                continue;
            if (first == 0 && have > body)
                first = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
            // A stream counts when its closing event is in, not when it merely ended.
            var whole = length >= 0 ? have >= body + length : buffer.AsSpan(0, have).EndsWith("\r\n0\r\n\r\n"u8);
            if (whole)
                return (buffer.AsSpan(0, 12).SequenceEqual("HTTP/1.1 200"u8)
                    && (!stream || buffer.AsSpan(0, have).IndexOf("[DONE]"u8) >= 0), first);
        }
    }
}
