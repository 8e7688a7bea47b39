using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Flywheel.Bench.Ingest;

/// <summary>Requests a second, and how long each took.</summary>
sealed record LoadResult(long Requests, long Failures, double Seconds, double P50Ms, double P99Ms);

/// <summary>
/// A lean HTTP/1.1 client: kept connections, prebuilt requests, so that the load costs the machine little beside the server.
/// </summary>
static class HttpLoad
{
    delegate void Renew(Span<byte> body);

    public static Task<LoadResult> RunAsync(Uri server, SpanSource source, int clients, int spansPerRequest, TimeSpan duration) => RunAsync(
        server, clients, duration, "/api/v1/spans", "application/json", () =>
            (source.Body(spansPerRequest, out var positions), body => source.Patch(body, positions)));

    public static Task<LoadResult> OtlpAsync(Uri server, OtlpSource source, int clients, int spansPerRequest, TimeSpan duration) =>
        RunAsync(
        server, clients, duration, "/v1/traces", "application/x-protobuf", () =>
            (source.Body(spansPerRequest, out var positions), body => source.Patch(body, positions)));

    static async Task<LoadResult> RunAsync(
        Uri server, int clients, TimeSpan duration, string path, string type, Func<(byte[] Body, Renew Renew)> make)
    {
        var until = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var started = Stopwatch.GetTimestamp();
        var results = await Task.WhenAll(
            Enumerable.Range(0, clients).Select(_ => Task.Run(() => ClientAsync(server, path, type, make, until))));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var latencies = results.SelectMany(result => result.Latencies).Order().ToArray();
        return new LoadResult(
            latencies.Length, results.Sum(result => result.Failures), seconds,
            latencies.Length == 0 ? 0 : latencies[latencies.Length / 2],
            latencies.Length == 0 ? 0 : latencies[(int)(latencies.Length * 0.99)]);
    }

    static async Task<(List<double> Latencies, long Failures)> ClientAsync(
        Uri server, string path, string type, Func<(byte[] Body, Renew Renew)> make, long until)
    {
        var (body, renew) = make();
        var head = Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: {server.Authority}\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\n\r\n");
        byte[] request = [.. head, .. body];
        var latencies = new List<double>(4096);
        long failures = 0;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.Host, server.Port);
        var buffer = new byte[65536];
        while (Stopwatch.GetTimestamp() < until)
        {
            renew(request.AsSpan(head.Length));
            var sent = Stopwatch.GetTimestamp();
            for (var at = 0; at < request.Length;)
                at += await socket.SendAsync(request.AsMemory(at));
            if (await StatusAsync(socket, buffer) == 200)
                latencies.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            else
                failures++;
        }
        return (latencies, failures);
    }

    /// <summary>Reads one whole response: the head, then the body by its length or in chunks.</summary>
    static async Task<int> StatusAsync(Socket socket, byte[] buffer)
    {
        var have = 0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(have));
            if (read == 0)
                throw new IOException("The server closed the connection.");
            have += read;
            var end = buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8);
            if (end < 0)
                continue;
            var head = Encoding.ASCII.GetString(buffer, 0, end);
            var complete = head.Contains("chunked", StringComparison.OrdinalIgnoreCase)
                ? buffer.AsSpan(0, have).EndsWith("0\r\n\r\n"u8)
                : have >= end + 4 + Length(head);
            if (complete)
                return int.Parse(head.AsSpan(9, 3));
        }
    }

    static int Length(string head)
    {
        var at = head.IndexOf("Content-Length:", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return 0;
        var line = head.AsSpan(at + 15);
        var end = line.IndexOf('\r');
        return int.Parse(end < 0 ? line : line[..end]);
    }
}
