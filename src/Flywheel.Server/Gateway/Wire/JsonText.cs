using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>JSON strings between what was sent and what is stored, copied as bytes wherever they may be.</summary>
static class JsonText
{
    const char Replacement = '\uFFFD';

    /// <summary>Depth to which bodies of clients and providers are read.</summary>
    public const int MaxDepth = 64;

    public static readonly JsonWriterOptions Relaxed =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static readonly JsonReaderOptions Strict = new() { MaxDepth = MaxDepth };

    /// <summary>Text of a string without its quotes, as storage takes it: NUL and half surrogate pairs become U+FFFD.</summary>
    /// <param name="escaped">What stands between the quotes; any pieces of one string put together.</param>
    public static string Decode(ReadOnlySpan<byte> escaped)
    {
        var at = escaped.IndexOf((byte)'\\');
        if (at < 0)
            return Encoding.UTF8.GetString(escaped);
        var text = new StringBuilder(escaped.Length);
        while (at >= 0)
        {
            text.Append(Encoding.UTF8.GetString(escaped[..at]));
            escaped = escaped[(at + 1)..];
            if (escaped.IsEmpty)
                break;
            var used = 1;
            text.Append(escaped[0] switch
            {
                (byte)'n' => '\n',
                (byte)'r' => '\r',
                (byte)'t' => '\t',
                (byte)'b' => '\b',
                (byte)'f' => '\f',
                (byte)'u' => Unit(escaped, ref used),
                var other => (char)other,
            });
            escaped = escaped[used..];
            at = escaped.IndexOf((byte)'\\');
        }
        text.Append(Encoding.UTF8.GetString(escaped));
        return Repaired(text.ToString());
    }

    static char Unit(ReadOnlySpan<byte> escaped, ref int used)
    {
        if (escaped.Length < 5
            || !ushort.TryParse(escaped.Slice(1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
            return Replacement;
        used = 5;
        return (char)unit;
    }

    static string Repaired(string text)
    {
        if (!text.Contains('\0') && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return text;
        var repaired = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            if (rune.Value == 0)
                repaired.Append(Replacement);
            else
                repaired.Append(rune.ToString());
        return repaired.ToString();
    }

    /// <summary>Writes a string value: its bytes as they are, unless they hold escapes that storage does not take.</summary>
    public static void Copy(Utf8JsonWriter json, ReadOnlySpan<byte> escaped)
    {
        if (escaped.IndexOf("\\u"u8) >= 0)
        {
            json.WriteStringValue(Decode(escaped));
            return;
        }
        var quoted = ArrayPool<byte>.Shared.Rent(escaped.Length + 2);
        quoted[0] = (byte)'"';
        escaped.CopyTo(quoted.AsSpan(1));
        quoted[escaped.Length + 1] = (byte)'"';
        json.WriteRawValue(quoted.AsSpan(0, escaped.Length + 2), skipInputValidation: true);
        ArrayPool<byte>.Shared.Return(quoted);
    }

    public static void Copy(Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> escaped)
    {
        json.WritePropertyName(name);
        Copy(json, escaped);
    }

    /// <summary>Writes any value of a body; strings inside it are repaired only where they need it.</summary>
    public static void CopyValue(Utf8JsonWriter json, ReadOnlySpan<byte> value)
    {
        if (value.IndexOf("\\u"u8) < 0)
        {
            json.WriteRawValue(value, skipInputValidation: true);
            return;
        }
        var reader = new Utf8JsonReader(value, Strict);
        while (reader.Read())
            CopyToken(json, ref reader);
    }

    static void CopyToken(Utf8JsonWriter json, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject: json.WriteStartObject(); break;
            case JsonTokenType.EndObject: json.WriteEndObject(); break;
            case JsonTokenType.StartArray: json.WriteStartArray(); break;
            case JsonTokenType.EndArray: json.WriteEndArray(); break;
            case JsonTokenType.PropertyName: json.WritePropertyName(Decode(reader.ValueSpan)); break;
            case JsonTokenType.String: json.WriteStringValue(Decode(reader.ValueSpan)); break;
            default: json.WriteRawValue(reader.ValueSpan, skipInputValidation: true); break;
        }
    }

    /// <summary>Writes a text that should hold JSON (a tool call's arguments) as that JSON, else as the text.</summary>
    public static void CopyParsed(Utf8JsonWriter json, ReadOnlySpan<byte> escaped)
    {
        var text = Decode(escaped);
        var bytes = Encoding.UTF8.GetBytes(text);
        if (IsObject(bytes))
            CopyValue(json, bytes);
        else
            json.WriteStringValue(text);
    }

    static bool IsObject(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes, Strict);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The reader's string; null for any other value, which is skipped.</summary>
    public static string? Text(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.String)
            return Decode(json.ValueSpan);
        json.Skip();
        return null;
    }

    /// <summary>The reader's whole number, 0 or more; null for any other value, which is skipped.</summary>
    public static int? Count(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var number) && number >= 0)
            return (int)Math.Min(number, int.MaxValue);
        json.Skip();
        return null;
    }

    /// <summary>Text of a string value with its quotes; null when it is no string.</summary>
    public static string? Text(ReadOnlySpan<byte> value) => value.Length >= 2 && value[0] == (byte)'"' ? Decode(value[1..^1]) : null;
}
