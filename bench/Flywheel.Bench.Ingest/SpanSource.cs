using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Flywheel.Bench.Ingest;

/// <summary>One span of about 2 KB, as the product takes it and as bare tables store it.</summary>
sealed record BenchSpan(
    string Trace, string Node, string Kind, string Input, string Output, string Session, string Model, string Attributes,
    DateTimeOffset StartedAt, double DurationMs);

/// <summary>Makes spans that look like an application's: words of varied length, seeded, a pool that is reused under new ids.</summary>
sealed class SpanSource
{
    static readonly string[] Words =
        "order invoice refund the a is not my please when card charged twice delivery late account login password reset product broken return policy support agent answer question thank you here tomorrow shipping address change cancel subscription plan price discount code email phone".Split(' ');

    readonly BenchSpan[] _pool;
    // Not from 0: a server that was under load before would be sent repeats.
    long _next = DateTime.UtcNow.Ticks;

    public SpanSource(int seed = 11, int size = 2_000)
    {
        var random = new Random(seed);
        _pool = [.. Enumerable.Range(0, size).Select(i => new BenchSpan(
            Hex(random, 32), "node-" + i % 7, i % 7 == 0 ? "classifier" : "writer", Text(random, 600), Text(random, 900),
            "session-" + i % 97, "model-a",
            JsonSerializer.Serialize(new { temperature = 0.2, region = "eu", prompt = Text(random, 280), finish_reason = "stop" }),
            new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(i), 100 + i % 900))];
    }

    public (string SpanId, BenchSpan Span) Next()
    {
        var number = Interlocked.Increment(ref _next);
        return (number.ToString("x16", CultureInfo.InvariantCulture), _pool[number % _pool.Length]);
    }

    /// <summary>
    /// Request bodies with their ids left open: <see cref="Patch"/> fills new ones in, so that making requests costs little.
    /// </summary>
    public byte[] Body(int spans, out int[] idPositions)
    {
        var body = new StringBuilder("{\"spans\":[");
        var positions = new int[spans];
        for (var i = 0; i < spans; i++)
        {
            var span = _pool[(i * 31) % _pool.Length];
            if (i > 0)
                body.Append(',');
            body.Append(CultureInfo.InvariantCulture, $"{{\"trace_id\":\"{span.Trace}\",\"span_id\":\"");
            positions[i] = body.Length; // ASCII throughout: characters are bytes
            body.Append('0', 16);
            body.Append(CultureInfo.InvariantCulture,
                $"\",\"node\":\"{span.Node}\",\"kind\":\"{span.Kind}\",\"input\":\"{span.Input}\",\"output\":\"{span.Output}\",\"started_at\":\"{span.StartedAt:O}\",\"duration_ms\":{span.DurationMs},\"session\":\"{span.Session}\",\"model\":\"{span.Model}\",\"attributes\":{span.Attributes}}}");
        }
        body.Append("]}");
        idPositions = positions;
        return Encoding.ASCII.GetBytes(body.ToString());
    }

    public void Patch(Span<byte> body, int[] idPositions)
    {
        foreach (var position in idPositions)
            Interlocked.Increment(ref _next).TryFormat(body.Slice(position, 16), out _, "x16", CultureInfo.InvariantCulture);
    }

    static string Text(Random random, int length)
    {
        var text = new StringBuilder();
        while (text.Length < length)
            text.Append(Words[random.Next(Words.Length)]).Append(' ');
        return text.ToString(0, length);
    }

    static string Hex(Random random, int digits)
    {
        var bytes = new byte[digits / 2];
        random.NextBytes(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
