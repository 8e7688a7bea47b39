using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Flywheel.Core.Metrics;

/// <summary>
/// The one JSON form of found spans: <c>[{"type":"card","start":3,"end":19}]</c>, <c>end</c> being the position after it.
/// </summary>
public static class FoundSpanJson
{
    /// <summary>Null for null; an empty array when the validator looked and found nothing.</summary>
    public static string? Write(IReadOnlyList<FoundSpan>? spans)
    {
        if (spans is null)
            return null;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            Write(json, spans);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static void Write(Utf8JsonWriter json, IReadOnlyList<FoundSpan> spans)
    {
        json.WriteStartArray();
        foreach (var span in spans)
        {
            json.WriteStartObject();
            json.WriteString("type", span.Type);
            json.WriteNumber("start", span.Start);
            json.WriteNumber("end", span.End);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>Null for null, and for what an outside writer put there that is no such array.</summary>
    public static IReadOnlyList<FoundSpan>? Read(string? text)
    {
        if (text is null)
            return null;
        try
        {
            using var json = JsonDocument.Parse(text);
            return Read(json.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="Read(string?)"/>
    public static IReadOnlyList<FoundSpan>? Read(JsonElement array)
    {
        if (array.ValueKind != JsonValueKind.Array)
            return null;
        var spans = new List<FoundSpan>(array.GetArrayLength());
        foreach (var item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object
                || !item.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String
                || !item.TryGetProperty("start", out var start) || start.ValueKind != JsonValueKind.Number
                || !start.TryGetInt32(out var from)
                || !item.TryGetProperty("end", out var end) || end.ValueKind != JsonValueKind.Number || !end.TryGetInt32(out var to)
                || from < 0 || to <= from)
                return null;
            spans.Add(new(from, to - from, type.GetString()!));
        }
        return spans;
    }
}
