using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flywheel.Engine.Telemetry.Otlp;

namespace Flywheel.Engine.Telemetry.Mapping;

/// <summary>Attribute values as JSON.</summary>
static class ValueJson
{
    public static readonly JsonWriterOptions Options =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    static readonly JsonDocumentOptions Reading = new() { MaxDepth = 128 };

    public static void Write(Utf8JsonWriter json, in OtlpValue value)
    {
        switch (value.Kind)
        {
            case OtlpKind.Text: json.WriteStringValue(value.Text); break;
            case OtlpKind.Bool: json.WriteBooleanValue(value.Bool); break;
            case OtlpKind.Int: json.WriteNumberValue(value.Int); break;
            case OtlpKind.Double when double.IsFinite(value.Double): json.WriteNumberValue(value.Double); break;
            case OtlpKind.Double: json.WriteStringValue(value.Double.ToString(CultureInfo.InvariantCulture)); break;
            case OtlpKind.Bytes: json.WriteBase64StringValue(value.Bytes); break;
            case OtlpKind.List:
                json.WriteStartArray();
                foreach (var item in value.List)
                    Write(json, item);
                json.WriteEndArray();
                break;
            case OtlpKind.Map:
                WriteMap(json, value.Map);
                break;
            default: json.WriteNullValue(); break;
        }
    }

    /// <summary>As an object; of a key that stands twice the last value counts.</summary>
    public static void WriteMap(Utf8JsonWriter json, IReadOnlyList<OtlpAttribute> map)
    {
        json.WriteStartObject();
        for (var i = 0; i < map.Count; i++)
            if (!Repeated(map, i))
            {
                json.WritePropertyName(map[i].Key);
                Write(json, map[i].Value);
            }
        json.WriteEndObject();
    }

    /// <summary>Whether the key stands again further on; quadratic, so only looked for in lists as short as they all are.</summary>
    static bool Repeated(IReadOnlyList<OtlpAttribute> map, int at)
    {
        if (map.Count > 256)
            return false;
        for (var i = at + 1; i < map.Count; i++)
            if (map[i].Key == map[at].Key)
                return true;
        return false;
    }

    public static string Text(in OtlpValue value)
    {
        if (value.Text is { } text)
            return text;
        var copy = value;
        return Make(json => Write(json, copy));
    }

    public static string Make(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
            write(json);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>The value as parsed JSON: a structure, or a text that holds one; null when it is neither.</summary>
    /// <remarks>The caller disposes it.</remarks>
    public static JsonDocument? Parse(in OtlpValue value) => value.Kind switch
    {
        OtlpKind.Text => Parse(value.Text!),
        OtlpKind.List or OtlpKind.Map => Parse(Text(value)),
        _ => null,
    };

    public static JsonDocument? Parse(string text)
    {
        var start = text.AsSpan().TrimStart();
        if (start.Length == 0 || start[0] is not ('{' or '['))
            return null;
        try
        {
            return JsonDocument.Parse(text, Reading);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A number, also from a text that holds one.</summary>
    public static double? Number(in OtlpValue value) => value.Kind switch
    {
        OtlpKind.Int => value.Int,
        OtlpKind.Double when double.IsFinite(value.Double) => value.Double,
        OtlpKind.Text when double.TryParse(value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number) => number,
        _ => null,
    };

    public static int? Count(in OtlpValue value) => Number(value) is { } number and >= 0 and <= int.MaxValue ? (int)number : null;
}
