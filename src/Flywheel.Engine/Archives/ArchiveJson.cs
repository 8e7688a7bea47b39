using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Archives;

namespace Flywheel.Engine.Archives;

/// <summary>Rows of an archive as JSON: times in ISO 8601 with microseconds, yes and no as true and false.</summary>
public static class ArchiveJson
{
    const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One line. JSON columns stand in it as they are stored, but on one line.</summary>
    public static ReadOnlyMemory<byte> Line(ArchiveRow row, ArrayBufferWriter<byte> buffer)
    {
        buffer.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(buffer, Plain))
        {
            writer.WriteStartObject();
            writer.WriteString("type", row.Kind.Name);
            Write(writer, row, jsonAsText: false);
            writer.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    /// <summary>For a table, whose JSON columns hold text.</summary>
    public static JsonElement Element(ArchiveRow row)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Plain))
        {
            writer.WriteStartObject();
            Write(writer, row, jsonAsText: true);
            writer.WriteEndObject();
        }
        return JsonSerializer.Deserialize<JsonElement>(buffer.WrittenSpan);
    }

    static void Write(Utf8JsonWriter writer, ArchiveRow row, bool jsonAsText)
    {
        for (var i = 0; i < row.Values.Length; i++)
        {
            var field = row.Kind.Fields[i];
            writer.WritePropertyName(field.Name);
            switch (row.Values[i])
            {
                case null:
                    writer.WriteNullValue();
                    break;
                case string json when field.Form == ArchiveForm.Json && !jsonAsText:
                    WriteJson(writer, json);
                    break;
                case string text:
                    writer.WriteStringValue(text);
                    break;
                case double number:
                    writer.WriteNumberValue(number);
                    break;
                case long micros when field.Form == ArchiveForm.Time:
                    writer.WriteStringValue(
                        DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond)
                            .ToString(TimeFormat, CultureInfo.InvariantCulture));
                    break;
                case long yes when field.Form == ArchiveForm.YesNo:
                    writer.WriteBooleanValue(yes == 1);
                    break;
                case long whole:
                    writer.WriteNumberValue(whole);
                    break;
            }
        }
    }

    static void WriteJson(Utf8JsonWriter writer, string json)
    {
        try
        {
            if (json.AsSpan().IndexOfAny('\n', '\r') < 0)
                writer.WriteRawValue(json);
            else
                JsonElement.Parse(json).WriteTo(writer);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            // A row by plain SQL may hold what is no JSON.
            writer.WriteStringValue(json);
        }
    }

    /// <param name="jsonAsText">JSON columns hold text, as in a table.</param>
    /// <exception cref="FlywheelException">A field is of another form; the message names it.</exception>
    public static ArchiveRow Read(ArchiveKind kind, JsonElement row, bool jsonAsText)
    {
        var values = new object?[kind.Fields.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var field = kind.Fields[i];
            if (row.TryGetProperty(field.Name, out var value) && value.ValueKind != JsonValueKind.Null)
                values[i] = Value(field, value, jsonAsText);
        }
        return new(kind, values);
    }

    static object Value(ArchiveField field, JsonElement value, bool jsonAsText) => (field.Form, value.ValueKind) switch
    {
        (ArchiveForm.Text, JsonValueKind.String) => value.GetString()!,
        // Objects and lists only are stored there: a text is one that could not be read.
        (ArchiveForm.Json, JsonValueKind.String) when jsonAsText || field.Name == "attributes" => value.GetString()!,
        (ArchiveForm.Json, _) when !jsonAsText => value.GetRawText(),
        (ArchiveForm.YesNo, JsonValueKind.True) => 1L,
        (ArchiveForm.YesNo, JsonValueKind.False) => 0L,
        (ArchiveForm.Whole, JsonValueKind.Number) when value.TryGetInt64(out var whole) => whole,
        (ArchiveForm.Number, JsonValueKind.Number) => value.GetDouble(),
        (ArchiveForm.Time, JsonValueKind.String) when value.TryGetDateTimeOffset(out var at) =>
            (at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond,
        _ => throw new FlywheelException($"`{field.Name}` is {Short(value.GetRawText())}: it must be {Words(field.Form)}."),
    };

    static string Words(ArchiveForm form) => form switch
    {
        ArchiveForm.Text => "a text",
        ArchiveForm.Json => "JSON as text",
        ArchiveForm.YesNo => "true or false",
        ArchiveForm.Whole => "a whole number",
        ArchiveForm.Number => "a number",
        _ => "an ISO-8601 time",
    };

    static string Short(string text) => text.Length <= 60 ? text : text[..59] + "…";
}
