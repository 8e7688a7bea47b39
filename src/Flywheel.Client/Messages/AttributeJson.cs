using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Client.Messages;

/// <summary>Writes a span's attributes.</summary>
internal static class AttributeJson
{
    // Relaxed: the text goes into a database and over HTTP as JSON, never into a page unescaped.
    static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A JSON object with what <paramref name="fill"/> writes.</summary>
    public static string Write(Action<Utf8JsonWriter> fill) => Text(json =>
    {
        json.WriteStartObject();
        fill(json);
        json.WriteEndObject();
    });

    /// <summary>Any JSON value.</summary>
    public static string Text(Action<Utf8JsonWriter> fill)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Options))
            fill(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static void WriteText(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, StorableText.Of(value));
    }

    public static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
            json.WriteNumber(name, number);
    }

    public static void WriteNumber(Utf8JsonWriter json, string name, float? value)
    {
        if (value is { } number && float.IsFinite(number))
            json.WriteNumber(name, number);
    }

    public static void WriteNumber(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
    }

    /// <summary>Whatever an application put there; what cannot be written as JSON is written as its text.</summary>
    public static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(StorableText.Of(text));
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case JsonElement { ValueKind: not JsonValueKind.Undefined } element:
                element.WriteTo(json);
                break;
            default:
                if (Element(value) is { } any)
                    any.WriteTo(json);
                else
                    json.WriteStringValue(StorableText.Of(value.ToString()));
                break;
        }
    }

    static JsonElement? Element(object value)
    {
        try
        {
            return JsonSerializer.SerializeToElement(value, AIJsonUtilities.DefaultOptions.GetTypeInfo(value.GetType()));
        }
        catch (Exception)
        {
            // Cycles, delegates, NaN, types without a contract: the value's own text is the next best thing.
            return null;
        }
    }
}
