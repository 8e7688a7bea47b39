using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>A chat completion, whole or in chunks.</summary>
/// <remarks>Texts are kept escaped, as they came: pieces of one string put together are that string, even across a surrogate
/// pair.</remarks>
sealed class ChatReply : Reply
{
    /// <summary>Choices or calls above this are passed on, but not recorded: an index is a number that the provider chooses.</summary>
    const int MaxIndex = 128;



    readonly List<Choice> _choices = [];

    public override bool HasContent => _choices.Exists(choice => choice.HasContent);

    public override bool HasFinished => _choices.Count > 0 && _choices.TrueForAll(choice => choice.Finish is not null);

    public override IEnumerable<string> FinishReasons =>
        _choices.Where(choice => choice.Finish is not null).Select(choice => choice.Finish!);

    public override string? ReadWhole(ReadOnlySpan<byte> body)
    {
        var json = new Utf8JsonReader(body, JsonText.Strict);
        if (!json.Read())
            return "it is empty";
        if (json.TokenType != JsonTokenType.StartObject)
            return "it is no JSON object";
        var (sawChoices, _) = ReadMembers(ref json, body, out _);
        while (json.Read())
        {
        }
        if (Failure is not null)
            return null;
        return sawChoices && _choices.Count > 0
            && _choices.TrueForAll(choice => choice.SawMessage) ? null : "it has no `choices` with a `message`";
    }

    public override EventMeaning ReadEvent(ReadOnlySpan<byte> data, out JsonSlice emptyUsage)
    {
        emptyUsage = default;
        if (data.SequenceEqual("[DONE]"u8))
            return EventMeaning.End;
        var json = new Utf8JsonReader(data, JsonText.Strict);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            return EventMeaning.Malformed;
        var (sawChoices, choices) = ReadMembers(ref json, data, out emptyUsage);
        while (json.Read())
        {
        }
        if (Failure is not null)
            return EventMeaning.Failure;
        if (!sawChoices)
            return EventMeaning.Malformed;
        return choices == 0 && !emptyUsage.IsPresent && OutputTokens is not null ? EventMeaning.Usage : EventMeaning.Piece;
    }

    (bool SawChoices, int Choices) ReadMembers(ref Utf8JsonReader json, ReadOnlySpan<byte> body, out JsonSlice emptyUsage)
    {
        emptyUsage = default;
        var sawChoices = false;
        var count = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = (int)json.TokenStartIndex;
            if (json.ValueTextEquals("choices"u8))
            {
                json.Read();
                sawChoices = json.TokenType == JsonTokenType.StartArray;
                if (sawChoices)
                    count = ReadChoices(ref json);
                else
                    json.Skip();
            }
            else if (json.ValueTextEquals("usage"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.StartObject)
                    ReadUsage(ref json);
                else if (json.TokenType == JsonTokenType.Null)
                    emptyUsage = WithComma(body, name, (int)json.BytesConsumed);
                else
                    json.Skip();
            }
            else if (json.ValueTextEquals("id"u8))
            {
                json.Read();
                if (Id is null) Id = JsonText.Text(ref json);
                else json.Skip();
            }
            else if (json.ValueTextEquals("model"u8))
            {
                json.Read();
                if (Model is null) Model = JsonText.Text(ref json);
                else json.Skip();
            }
            else if (json.ValueTextEquals("error"u8))
            {
                json.Read();
                Failure = ReadFailure(ref json) ?? Failure;
            }
            else
            {
                json.Skip();
            }
        }
        return (sawChoices, count);
    }

    /// <summary>A member with the comma before it, or behind it when it is the first.</summary>
    static JsonSlice WithComma(ReadOnlySpan<byte> body, int start, int end)
    {
        var before = start - 1;
        while (before >= 0 && body[before] is (byte)' ' or (byte)'\t')
            before--;
        if (before >= 0 && body[before] == (byte)',')
            return new JsonSlice(before, end - before);
        while (end < body.Length && body[end] is (byte)' ' or (byte)'\t')
            end++;
        return end < body.Length && body[end] == (byte)',' ? new JsonSlice(start, end + 1 - start) : new JsonSlice(start, end - start);
    }

    int ReadChoices(ref Utf8JsonReader json)
    {
        var position = 0;
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
            ReadChoice(ref json, position++);
        while (json.TokenType != JsonTokenType.EndArray && json.Read())
        {
        }
        return position;
    }

    void ReadChoice(ref Utf8JsonReader json, int position)
    {
        // The index may follow the content, so the choice is looked up when it ends; one choice is the rule.
        Choice? choice = null;
        var peek = json;
        if (IndexOf(ref peek) is { } index)
            position = index;
        if (position < MaxIndex)
        {
            while (_choices.Count <= position)
                _choices.Add(new Choice());
            choice = _choices[position];
        }
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (choice is not null && (json.ValueTextEquals("delta"u8) || json.ValueTextEquals("message"u8)))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.StartObject)
                    choice.ReadMessage(ref json);
                else
                    json.Skip();
            }
            else if (choice is not null && json.ValueTextEquals("finish_reason"u8))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.String)
                    choice.Finish = Word(json.ValueSpan);
                else
                    json.Skip();
            }
            else
            {
                json.Skip();
            }
        }
    }

    static int? IndexOf(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("index"u8))
            {
                json.Read();
                return JsonText.Count(ref json);
            }
            json.Skip();
        }
        return null;
    }

    public override string? OutputText()
    {
        if (_choices.Count == 0 || !_choices[0].HasContent)
            return _choices.Count > 0 && _choices[0].SawMessage ? "" : null;
        var first = _choices[0];
        if (first.Content.WrittenCount > 0 || first.Calls.Count == 0)
            return JsonText.Decode(first.Content.WrittenCount > 0 ? first.Content.WrittenSpan : first.Refusal.WrittenSpan);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, JsonText.Relaxed))
            WriteToolCalls(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public override bool HasToolCalls => _choices.Count > 0 && _choices[0].Calls.Count > 0;

    public override void WriteToolCalls(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var call in _choices[0].Calls)
        {
            json.WriteStartObject();
            JsonText.Copy(json, "name"u8, call.Name.WrittenSpan);
            json.WritePropertyName("arguments"u8);
            JsonText.CopyParsed(json, call.Arguments.WrittenSpan);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    public override void WriteMessages(Utf8JsonWriter json, string fallbackFinish)
    {
        json.WriteStartArray();
        foreach (var choice in _choices)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "assistant"u8);
            json.WriteStartArray("parts"u8);
            if (choice.Reasoning.WrittenCount > 0)
                Conversation.WriteTextPart(json, "reasoning"u8, choice.Reasoning.WrittenSpan);
            if (choice.Content.WrittenCount > 0)
                Conversation.WriteTextPart(json, "text"u8, choice.Content.WrittenSpan);
            if (choice.Refusal.WrittenCount > 0)
                Conversation.WriteTextPart(json, "refusal"u8, choice.Refusal.WrittenSpan);
            foreach (var call in choice.Calls)
                Conversation.WriteToolCall(json, call.Id.WrittenSpan, call.Name.WrittenSpan, call.Arguments.WrittenSpan);
            json.WriteEndArray();
            json.WriteString("finish_reason"u8, choice.Finish ?? fallbackFinish);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    public override string WrittenText() =>
        string.Concat(_choices.SelectMany(choice => choice.Texts).Select(text => JsonText.Decode(text.WrittenSpan)));

    sealed class Choice
    {
        public ArrayBufferWriter<byte> Content { get; } = new();
        public ArrayBufferWriter<byte> Refusal { get; } = new();
        public ArrayBufferWriter<byte> Reasoning { get; } = new();
        public List<Call> Calls { get; } = [];
        public string? Finish { get; set; }
        public bool SawMessage { get; private set; }

        public bool HasContent => Content.WrittenCount + Refusal.WrittenCount + Reasoning.WrittenCount + Calls.Count > 0;

        public IEnumerable<ArrayBufferWriter<byte>> Texts =>
            [Reasoning, Content, Refusal, .. Calls.SelectMany(call => new[] { call.Name, call.Arguments })];

        public void ReadMessage(ref Utf8JsonReader json)
        {
            SawMessage = true;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("content"u8)) Append(ref json, Content);
                else if (json.ValueTextEquals("refusal"u8)) Append(ref json, Refusal);
                else if (json.ValueTextEquals("reasoning_content"u8) || json.ValueTextEquals("reasoning"u8)) Append(ref json, Reasoning);
                else if (json.ValueTextEquals("tool_calls"u8)) ReadCalls(ref json);
                else json.Skip();
            }
        }

        void ReadCalls(ref Utf8JsonReader json)
        {
            json.Read();
            if (json.TokenType != JsonTokenType.StartArray)
            {
                json.Skip();
                return;
            }
            var position = 0;
            while (json.Read() && json.TokenType == JsonTokenType.StartObject)
            {
                var peek = json;
                if (IndexOf(ref peek) is { } index)
                    position = index;
                if (position >= MaxIndex)
                {
                    json.Skip();
                    continue;
                }
                while (Calls.Count <= position)
                    Calls.Add(new Call());
                Calls[position++].Read(ref json);
            }
        }
    }

    sealed class Call
    {
        public ArrayBufferWriter<byte> Id { get; } = new();
        public ArrayBufferWriter<byte> Name { get; } = new();
        public ArrayBufferWriter<byte> Arguments { get; } = new();

        public void Read(ref Utf8JsonReader json)
        {
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("id"u8)) Append(ref json, Id, once: true);
                else if (json.ValueTextEquals("function"u8) || json.ValueTextEquals("custom"u8)) ReadFunction(ref json);
                else json.Skip();
            }
        }

        void ReadFunction(ref Utf8JsonReader json)
        {
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
            {
                json.Skip();
                return;
            }
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("name"u8)) Append(ref json, Name, once: true);
                else if (json.ValueTextEquals("arguments"u8) || json.ValueTextEquals("input"u8)) Append(ref json, Arguments);
                else json.Skip();
            }
        }
    }

    static void Append(ref Utf8JsonReader json, ArrayBufferWriter<byte> to, bool once = false)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.String)
            json.Skip();
        else if (!once || to.WrittenCount == 0)
            to.Write(json.ValueSpan);
    }
}
