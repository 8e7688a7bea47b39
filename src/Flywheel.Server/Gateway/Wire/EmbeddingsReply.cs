using System.Globalization;
using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>Vectors: counted, not kept.</summary>
sealed class EmbeddingsReply : Reply
{
    int _vectors;
    bool _sawData;

    public override bool HasContent => _vectors > 0;

    public override bool HasFinished => _sawData;

    public override IEnumerable<string> FinishReasons => [];

    public override string? ReadWhole(ReadOnlySpan<byte> body)
    {
        var json = new Utf8JsonReader(body, JsonText.Strict);
        if (!json.Read())
            return "it is empty";
        if (json.TokenType != JsonTokenType.StartObject)
            return "it is no JSON object";
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("model"u8)) { json.Read(); Model = JsonText.Text(ref json); }
            else if (json.ValueTextEquals("error"u8)) { json.Read(); Failure = ReadFailure(ref json); }
            else if (json.ValueTextEquals("usage"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.StartObject)
                    ReadUsage(ref json);
            }
            else if (json.ValueTextEquals("data"u8))
            {
                json.Read();
                _sawData = json.TokenType == JsonTokenType.StartArray;
                if (_sawData)
                    while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                    {
                        _vectors++;
                        json.Skip();
                    }
                else
                    json.Skip();
            }
            else json.Skip();
        }
        while (json.Read())
        {
        }
        return Failure is not null || _sawData ? null : "it has no `data`";
    }

    public override EventMeaning ReadEvent(ReadOnlySpan<byte> data, out JsonSlice emptyUsage)
    {
        emptyUsage = default;
        return EventMeaning.Malformed;
    }

    public override string? OutputText() => _sawData ? string.Create(CultureInfo.InvariantCulture, $"{{\"vectors\":{_vectors}}}") : null;

    public override void WriteMessages(Utf8JsonWriter json, string fallbackFinish)
    {
        json.WriteStartArray();
        json.WriteEndArray();
    }

    public override string WrittenText() => "";
}
