using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>A response of the newer protocol, whole or as events of which the last holds the whole one.</summary>
sealed class ResponsesReply : Reply
{
    readonly ArrayBufferWriter<byte> _text = new();
    readonly ArrayBufferWriter<byte> _pieces = new();
    readonly List<(byte[] Id, byte[] Name, byte[] Arguments)> _calls = [];
    string? _status;
    bool _sawOutput;

    public override bool HasContent => _text.WrittenCount + _pieces.WrittenCount + _calls.Count > 0;

    public override bool HasFinished => _status is "completed" or "incomplete";

    public override IEnumerable<string> FinishReasons => _status is null ? [] : [_status];

    public override string? ReadWhole(ReadOnlySpan<byte> body)
    {
        var json = new Utf8JsonReader(body, JsonText.Strict);
        if (!json.Read())
            return "it is empty";
        if (json.TokenType != JsonTokenType.StartObject)
            return "it is no JSON object";
        ReadResponse(ref json, body, 0);
        while (json.Read())
        {
        }
        return Failure is not null || _sawOutput ? null : "it has no `output`";
    }

    public override EventMeaning ReadEvent(ReadOnlySpan<byte> data, out JsonSlice emptyUsage)
    {
        emptyUsage = default;
        var json = new Utf8JsonReader(data, JsonText.Strict);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            return EventMeaning.Malformed;
        JsonSlice type = default, response = default, delta = default, message = default, error = default;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isType = json.ValueTextEquals("type"u8);
            var isResponse = json.ValueTextEquals("response"u8);
            var isDelta = json.ValueTextEquals("delta"u8);
            var isMessage = json.ValueTextEquals("message"u8);
            var isError = json.ValueTextEquals("error"u8);
            json.Read();
            var value = JsonSlice.Take(ref json);
            if (isType) type = value;
            else if (isResponse) response = value;
            else if (isDelta) delta = value;
            else if (isMessage) message = value;
            else if (isError) error = value;
        }
        while (json.Read())
        {
        }
        if (!type.IsString(data))
        {
            Failure = error.IsPresent ? FailureIn(data) : null;
            return Failure is null ? EventMeaning.Malformed : EventMeaning.Failure;
        }
        var word = type.Of(data)[1..^1];
        if (response.IsObject(data))
        {
            var inner = new Utf8JsonReader(response.Of(data), JsonText.Strict);
            inner.Read();
            ReadResponse(ref inner, response.Of(data), 0);
        }
        if (word.SequenceEqual("response.output_text.delta"u8) && delta.IsString(data))
            _pieces.Write(delta.Of(data)[1..^1]);
        if (word.SequenceEqual("response.completed"u8) || word.SequenceEqual("response.incomplete"u8))
            return EventMeaning.End;
        if (word.SequenceEqual("response.failed"u8))
        {
            Failure ??= "the provider reported a failed response";
            return EventMeaning.End;
        }
        if (word.SequenceEqual("error"u8))
        {
            Failure = JsonText.Text(message.Of(data)) ?? FailureIn(data) ?? "the provider reported an error";
            return EventMeaning.Failure;
        }
        return EventMeaning.Piece;
    }

    void ReadResponse(ref Utf8JsonReader json, ReadOnlySpan<byte> body, int offset)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("id"u8)) { json.Read(); Id = JsonText.Text(ref json) ?? Id; }
            else if (json.ValueTextEquals("model"u8)) { json.Read(); Model = JsonText.Text(ref json) ?? Model; }
            else if (json.ValueTextEquals("status"u8)) { json.Read(); _status = JsonText.Text(ref json); }
            else if (json.ValueTextEquals("error"u8)) { json.Read(); Failure = ReadFailure(ref json) ?? Failure; }
            else if (json.ValueTextEquals("usage"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.StartObject)
                    ReadUsage(ref json);
                else
                    json.Skip();
            }
            else if (json.ValueTextEquals("output"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.StartArray)
                    ReadOutput(ref json, body, offset);
                else
                    json.Skip();
            }
            else json.Skip();
        }
    }

    void ReadOutput(ref Utf8JsonReader json, ReadOnlySpan<byte> body, int offset)
    {
        _sawOutput = true;
        _text.Clear();
        _calls.Clear();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject)
            {
                json.Skip();
                continue;
            }
            var item = PromptMessage.Read(ref json, offset);
            if (item.HasType(body, "function_call"u8))
                _calls.Add((Inner(body, item.CallId), Inner(body, item.Name), Inner(body, item.Arguments)));
            else if (item.HasType(body, "message"u8) && item.Content.IsArray(body))
                ReadParts(item.Content.Of(body));
        }
    }

    void ReadParts(ReadOnlySpan<byte> content)
    {
        var json = new Utf8JsonReader(content, JsonText.Strict);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isText = json.ValueTextEquals("text"u8) || json.ValueTextEquals("refusal"u8);
                json.Read();
                if (isText && json.TokenType == JsonTokenType.String)
                    _text.Write(json.ValueSpan);
                else
                    json.Skip();
            }
    }

    static byte[] Inner(ReadOnlySpan<byte> body, JsonSlice text) => text.IsString(body) ? text.Of(body)[1..^1].ToArray() : [];

    ArrayBufferWriter<byte> Text => _sawOutput && _text.WrittenCount > 0 ? _text : _pieces;

    public override string? OutputText()
    {
        if (Text.WrittenCount > 0 || _calls.Count == 0)
            return _sawOutput || Text.WrittenCount > 0 ? JsonText.Decode(Text.WrittenSpan) : null;
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, JsonText.Relaxed))
            WriteToolCalls(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public override bool HasToolCalls => _calls.Count > 0;

    public override void WriteToolCalls(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var (_, name, arguments) in _calls)
        {
            json.WriteStartObject();
            JsonText.Copy(json, "name"u8, name);
            json.WritePropertyName("arguments"u8);
            JsonText.CopyParsed(json, arguments);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    public override void WriteMessages(Utf8JsonWriter json, string fallbackFinish)
    {
        json.WriteStartArray();
        if (HasContent || _sawOutput)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "assistant"u8);
            json.WriteStartArray("parts"u8);
            if (Text.WrittenCount > 0)
                Conversation.WriteTextPart(json, "text"u8, Text.WrittenSpan);
            foreach (var (id, name, arguments) in _calls)
                Conversation.WriteToolCall(json, id, name, arguments);
            json.WriteEndArray();
            json.WriteString("finish_reason"u8, _status ?? fallbackFinish);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    public override string WrittenText() => JsonText.Decode(Text.WrittenSpan);
}
