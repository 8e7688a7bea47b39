using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>One part of a message's content, in both of OpenAI's protocols, as a part of the normal form.</summary>
static class ContentPart
{
    /// <param name="bytes">What the reader reads.</param>
    public static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> bytes, ref Utf8JsonReader reader)
    {
        JsonSlice type = default, text = default, link = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            var isText = reader.ValueTextEquals("text"u8) || reader.ValueTextEquals("refusal"u8);
            var isLink = reader.ValueTextEquals("image_url"u8);
            reader.Read();
            if (isLink && reader.TokenType == JsonTokenType.StartObject)
            {
                link = Url(ref reader);
                continue;
            }
            var value = JsonSlice.Take(ref reader);
            if (isType) type = value;
            else if (isText) text = value;
            else if (isLink) link = value;
        }

        var kind = type.IsString(bytes) ? type.Of(bytes)[1..^1] : "unknown"u8;
        if (text.IsString(bytes))
            Conversation.WriteTextPart(json, kind.SequenceEqual("refusal"u8) ? kind : "text"u8, text.Of(bytes)[1..^1]);
        else if (link.IsString(bytes))
            WriteLink(json, link.Of(bytes)[1..^1]);
        else
            WriteOther(json, kind);
    }

    static JsonSlice Url(ref Utf8JsonReader reader)
    {
        JsonSlice url = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isUrl = reader.ValueTextEquals("url"u8);
            reader.Read();
            var value = JsonSlice.Take(ref reader);
            if (isUrl)
                url = value;
        }
        return url;
    }

    static void WriteLink(Utf8JsonWriter json, ReadOnlySpan<byte> escaped)
    {
        json.WriteStartObject();
        if (escaped.StartsWith("data:"u8))
        {
            // The bytes stay out: a few pictures would outweigh every text of the trace.
            json.WriteString("type"u8, "blob"u8);
            var comma = escaped.IndexOf((byte)',');
            json.WriteNumber("size"u8, (comma < 0 ? 0 : escaped.Length - comma - 1) / 4 * 3);
        }
        else
        {
            json.WriteString("type"u8, "uri"u8);
            JsonText.Copy(json, "uri"u8, escaped);
        }
        json.WriteEndObject();
    }

    static void WriteOther(Utf8JsonWriter json, ReadOnlySpan<byte> kind)
    {
        json.WriteStartObject();
        JsonText.Copy(json, "type"u8, kind);
        json.WriteEndObject();
    }
}
