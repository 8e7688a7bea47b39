using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Flywheel.Client.Remote;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Outboxes;

/// <summary>A call of <see cref="FlywheelApi"/> that waits for the server.</summary>
/// <param name="Path">Such as <c>api/v1/labels</c>.</param>
/// <param name="Key">Its idempotency key: a call that is sent twice counts once.</param>
/// <param name="Refusals">How often the server did not know its span.</param>
internal sealed record QueuedCall(string Path, string Key, JsonElement Body, int Refusals = 0);

/// <summary>One line of an outbox: a span or a call, exactly one of them.</summary>
internal sealed record OutboxEntry(NewSpan? Span, QueuedCall? Call)
{
    const int ChecksumCharacters = 8;

    /// <summary>The entry as a line: its checksum (CRC-32C in hexadecimal), a blank, JSON, a line feed. JSON has none of its own.</summary>
    /// <exception cref="ArgumentException">The span's attributes are no JSON.</exception>
    public void WriteLine(ArrayBufferWriter<byte> lines)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(
            new WireEntry(Span is null ? null : WireSpan.Of(Span), Call?.Path, Call?.Key, Call?.Body,
                Call is { Refusals: > 0 } ? Call.Refusals : null),
            Wire.Default.WireEntry);
        var room = lines.GetSpan(ChecksumCharacters + 2 + json.Length);
        Encoding.ASCII.GetBytes(Checksum(json).ToString("x8", CultureInfo.InvariantCulture), room);
        room[ChecksumCharacters] = (byte)' ';
        json.CopyTo(room[(ChecksumCharacters + 1)..]);
        room[ChecksumCharacters + 1 + json.Length] = (byte)'\n';
        lines.Advance(ChecksumCharacters + 2 + json.Length);
    }

    /// <summary>Reads a line without its line feed; null when it is damaged.</summary>
    public static OutboxEntry? ReadLine(ReadOnlySpan<byte> line)
    {
        if (line.Length < ChecksumCharacters + 2 || line[ChecksumCharacters] != ' '
            || !Utf8Parser.TryParse(line[..ChecksumCharacters], out uint checksum, out var read, 'x') || read != ChecksumCharacters)
            return null;
        var json = line[(ChecksumCharacters + 1)..];
        if (Checksum(json) != checksum)
            return null;
        try
        {
            return JsonSerializer.Deserialize(json, Wire.Default.WireEntry) switch
            {
                { Span: { } span } => new(span.ToSpan(), null),
                { Post: { } path, Key: { } key, Body: { } body } call => new(null, new(path, key, body, call.Refusals ?? 0)),
                _ => null,
            };
        }
        catch (Exception unreadable) when (unreadable is JsonException or ArgumentException)
        {
            return null;
        }
    }

    static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            crc = BitOperations.Crc32C(crc, word);
        foreach (var one in bytes[(words.Length * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, one);
        return ~crc;
    }
}
