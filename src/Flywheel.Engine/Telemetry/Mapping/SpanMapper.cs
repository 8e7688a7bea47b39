using System.Buffers;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Telemetry.Otlp;

namespace Flywheel.Engine.Telemetry.Mapping;

/// <summary>Makes our span of a sent one, whatever dialect it speaks. One instance a request: it reuses its buffers.</summary>
/// <remarks>
/// Nothing that was sent is lost: an attribute becomes a column, is kept under its conventional name, or under its own. Only what
/// is kept elsewhere word for word is left out: messages that were flattened or are the span's input or output.
/// </remarks>
sealed class SpanMapper : IDisposable
{
    const int NoAttribute = -1, FewAttributes = 64;

    readonly PriceTable _prices;
    readonly int[] _winner = new int[(int)Slot.Count];
    readonly Dictionary<string, int> _last = new(StringComparer.Ordinal);
    readonly ArrayBufferWriter<byte> _buffer = new(4096);
    readonly Utf8JsonWriter _json;

    OtlpSpan _span = null!;
    FlatMessages? _flatInput, _flatOutput, _flatOldInput, _flatOldOutput;

    public SpanMapper(PriceTable prices)
    {
        _prices = prices;
        _json = new Utf8JsonWriter(_buffer, ValueJson.Options);
    }

    public void Dispose() => _json.Dispose();

    /// <exception cref="OtlpItemException">The span cannot be kept.</exception>
    public NewSpan Map(OtlpSpan span)
    {
        _span = span;
        Sort();
        var operation = Dialects.Operation(Text(Slot.Operation)) ?? Dialects.OperationOfKind(Text(Slot.SpanKind));
        var input = MessagesOf(Slot.InputMessages, "user") ?? Flat(_flatInput, "user") ?? Flat(_flatOldInput, "user");
        var output = MessagesOf(Slot.OutputMessages, "assistant") ?? Flat(_flatOutput, "assistant") ?? Flat(_flatOldOutput, "assistant")
            ?? Answer();
        FromEvents(ref input, ref output);
        if (Has(Slot.InputValue) && input is null && IsModelCall(operation))
            input = Parsed(Value(Slot.InputValue), "user");
        if (Has(Slot.OutputValue) && output is null && IsModelCall(operation))
            output = Parsed(Value(Slot.OutputValue), "assistant");

        var isTool = operation == "execute_tool";
        var asked = isTool ? TextOf(Slot.ToolArguments) ?? TextOf(Slot.InputValue) : null;
        var answered = isTool ? TextOf(Slot.ToolResult) ?? TextOf(Slot.OutputValue) : null;
        asked ??= (input is null ? null : Messages.Input(input)) ?? TextOf(Slot.Query) ?? TextOf(Slot.InputValue);
        answered ??= (output is null ? null : Messages.Output(output)) ?? Documents() ?? TextOf(Slot.OutputValue);
        var model = Text(Slot.ResponseModel) ?? Text(Slot.RequestModel);
        int? tokensIn = Count(Slot.InputTokens), tokensOut = Count(Slot.OutputTokens);
        var cost = Has(Slot.Cost) && ValueJson.Number(Value(Slot.Cost)) is { } told and >= 0 ? told
            // An agent's usage is its model calls' usage again: only the calls cost.
            : IsModelCall(operation)
            || operation is "embeddings" or null ? _prices.CostUsd(model, tokensIn, tokensOut, Count(Slot.CacheReadTokens)) : null;
        var error = Error();
        return new NewSpan
        {
            Key = new(span.Trace, span.Id),
            ParentId = span.Parent,
            Node = Node(operation),
            Kind = Kind(operation),
            Input = asked,
            Output = answered,
            Error = error,
            StartedAt = Moment(span.Start),
            DurationMs = span.End > span.Start ? (span.End - span.Start) / 1e6 : 0,
            Session = NameOf(Slot.Session),
            EndUser = NameOf(Slot.EndUser),
            Model = Usable(model),
            InputTokens = tokensIn,
            OutputTokens = tokensOut,
            CostUsd = cost,
            Attributes = Attributes(operation, input, output, asked, answered),
            Demonstrations = Demonstrations(),
        };
    }

    /// <summary>Nanoseconds cut to the microseconds that are stored; a time that no calendar holds is refused with the span.</summary>
    static DateTimeOffset Moment(ulong unixNano) =>
        unixNano / 100 < (ulong)(DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).Ticks
            ? DateTimeOffset.UnixEpoch.AddTicks((long)(unixNano / 1000) * TimeSpan.TicksPerMicrosecond)
            : DateTimeOffset.MaxValue;

    void Sort()
    {
        Array.Fill(_winner, NoAttribute);
        _last.Clear();
        _flatInput = _flatOutput = _flatOldInput = _flatOldOutput = null;
        var attributes = _span.Attributes;
        for (var i = 0; i < attributes.Count; i++)
        {
            var key = attributes[i].Key;
            if (attributes[i].Value.Kind == OtlpKind.Empty)
                continue;
            if (Dialects.Names.TryGetValue(key, out var meaning))
            {
                ref var winner = ref _winner[(int)meaning.Slot];
                if (winner < 0 || Dialects.Names[attributes[winner].Key].Rank >= meaning.Rank)
                    winner = i;
            }
            else if (FlatOf(key) is { } flat)
                flat.Messages.Add(key.AsSpan(flat.Prefix), attributes[i].Value);
        }
    }

    (FlatMessages Messages, int Prefix)? FlatOf(string key)
    {
        if (key.StartsWith("llm.input_messages.", StringComparison.Ordinal))
            return (_flatInput ??= new(), "llm.input_messages.".Length);
        if (key.StartsWith("llm.output_messages.", StringComparison.Ordinal))
            return (_flatOutput ??= new(), "llm.output_messages.".Length);
        if (key.StartsWith("gen_ai.prompt.", StringComparison.Ordinal)
            && char.IsAsciiDigit(key["gen_ai.prompt.".Length..].FirstOrDefault()))
            return (_flatOldInput ??= new(), "gen_ai.prompt.".Length);
        if (key.StartsWith("gen_ai.completion.", StringComparison.Ordinal)
            && char.IsAsciiDigit(key["gen_ai.completion.".Length..].FirstOrDefault()))
            return (_flatOldOutput ??= new(), "gen_ai.completion.".Length);
        return null;
    }

    bool IsModelCall(string? operation) =>
        operation is "chat" or "text_completion" or "generate_content"
            || (operation is null && (Has(Slot.InputMessages) || _flatInput is not null || _flatOldInput is not null));

    bool Has(Slot slot) => _winner[(int)slot] >= 0;

    OtlpValue Value(Slot slot) => _winner[(int)slot] is var at and >= 0 ? _span.Attributes[at].Value : default;

    string? Text(Slot slot) => Value(slot).Text is { Length: > 0 } text ? text : null;

    string? TextOf(Slot slot) => Has(slot) ? ValueJson.Text(Value(slot)) : null;

    string? NameOf(Slot slot) => Has(slot) ? Usable(ValueJson.Text(Value(slot))) : null;

    /// <summary>A name that fits its column; another one stays in the attributes only, and does not cost the span.</summary>
    static string? Usable(string? name) => name is not null && SpanRules.Name(name, SpanRules.MaxNameLength) is null ? name : null;

    int? Count(Slot slot) => ValueJson.Count(Value(slot));

    List<Message>? MessagesOf(Slot slot, string role)
    {
        if (!Has(slot))
            return null;
        return Parsed(Value(slot), role) ?? (Value(slot).Text is { } text ? [Messages.OfText(role, text)] : null);
    }

    static List<Message>? Parsed(in OtlpValue value, string role)
    {
        try
        {
            using var document = ValueJson.Parse(value);
            return document is not null && Messages.Read(document.RootElement, role) is { Count: > 0 } messages ? messages : null;
        }
        catch (InvalidOperationException)
        {
            return null; // half a surrogate pair within: it stays the text that it came as
        }
    }

    List<Message>? Flat(FlatMessages? flat, string role) =>
        flat is null || flat.IsEmpty ? null : flat.Build(role, role == "assistant" ? Finish() : null);

    string? Finish() => Value(Slot.FinishReasons).Text is { } finish && !finish.StartsWith('[') ? finish : null;

    /// <summary>Vercel's answer, which has an attribute for its text and one for its calls.</summary>
    List<Message>? Answer()
    {
        if (!Has(Slot.OutputText) && !Has(Slot.OutputCalls))
            return null;
        var text = Text(Slot.OutputText);
        var message = Messages.Make("assistant", null, Finish(), parts =>
        {
            if (text is not null)
                parts.Text(text);
            using var calls = ValueJson.Parse(Value(Slot.OutputCalls));
            if (calls?.RootElement.ValueKind == JsonValueKind.Array)
                foreach (var call in calls.RootElement.EnumerateArray())
                    foreach (var read in Messages.Read(call, "assistant"))
                        if (read.Calls is not null)
                        {
                            using var one = JsonDocument.Parse(read.Calls);
                            parts.Call(
                                call.TryGetProperty("toolCallId", out var id) ? id.GetString() : null,
                                one.RootElement[0].GetProperty("name").GetString()!,
                                Messages.Raw(one.RootElement[0].GetProperty("arguments")));
                        }
        });
        return [message];
    }

    /// <summary>Content that came as events of the span.</summary>
    void FromEvents(ref List<Message>? input, ref List<Message>? output)
    {
        List<Message>? asked = null, answered = null;
        foreach (var one in _span.Events)
            foreach (var text in EventTexts.Read(one.Name, default, one.Attributes))
                if (text.Place == TextPlace.Output)
                    (answered ??= []).AddRange(text.Messages);
                else
                    (asked ??= []).AddRange(text.Messages);
        input ??= asked;
        output ??= answered;
    }

    string? Documents()
    {
        if (Has(Slot.Documents))
            return ValueJson.Text(Value(Slot.Documents));
        var documents = new SortedDictionary<int, SortedDictionary<string, string>>();
        foreach (var (key, value) in _span.Attributes)
        {
            const string prefix = "retrieval.documents.";
            if (!key.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            var rest = key[prefix.Length..].Split('.', 3);
            if (rest.Length < 3 || !int.TryParse(rest[0], out var index))
                continue;
            if (!documents.TryGetValue(index, out var document))
                documents[index] = document = new(StringComparer.Ordinal);
            document[rest[2]] = ValueJson.Text(value);
        }
        return documents.Count == 0 ? null : ValueJson.Make(json => JsonSerializer.Serialize(json, documents.Values));
    }

    string? Error()
    {
        if (_span.StatusCode != 2)
            return Text(Slot.ErrorType);
        if (_span.StatusMessage is { Length: > 0 } message)
            return message;
        foreach (var one in _span.Events)
            if (one.Name == "exception")
                foreach (var (key, value) in one.Attributes)
                    if (key == "exception.message" && value.Text is { Length: > 0 } why)
                        return why;
        return Text(Slot.ErrorType) ?? "error";
    }

    /// <summary>The place in the application: named by the sender, else by the agent, workflow or prompt, else by what is done.</summary>
    string Node(string? operation)
    {
        if (NameOf(Slot.Node) is { } node)
            return node;
        if (operation == "execute_tool" && NameOf(Slot.ToolName) is { } tool)
            return tool;
        if ((NameOf(Slot.Agent) ?? NameOf(Slot.Prompt) ?? NameOf(Slot.Workflow)) is { } name)
            return name;
        // `chat gpt-4.1`: the model is not the place.
        if (operation is not null && Text(Slot.RequestModel) is { } model && _span.Name == operation + " " + model)
            return operation;
        return Usable(_span.Name) ?? Usable(operation) ?? "span";
    }

    NodeKind Kind(string? operation)
    {
        if (Text(Slot.NodeKind) is { } said && Wire.Parse<NodeKind>(said.ToLowerInvariant()) is { } kind)
            return kind;
        return operation switch
        {
            "execute_tool" => NodeKind.Tool,
            "retrieval" or "search_memory" => NodeKind.Retriever,
            _ => IsModelCall(operation) ? NodeKind.Writer : NodeKind.Other,
        };
    }

    List<Guid> Demonstrations()
    {
        var ids = new List<Guid>();
        foreach (var item in Value(Slot.Demonstrations).List)
            if (Guid.TryParse(item.Text, out var id))
                ids.Add(id);
        return ids;
    }

    string Attributes(string? operation, List<Message>? input, List<Message>? output, string? asked, string? answered)
    {
        _buffer.ResetWrittenCount();
        _json.Reset(_buffer);
        _json.WriteStartObject();
        var attributes = _span.Attributes;
        for (var i = 0; i < attributes.Count; i++)
        {
            var (key, value) = attributes[i];
            if (value.Kind == OtlpKind.Empty || Last(key) != i)
                continue;
            if (!Dialects.Names.TryGetValue(key, out var meaning))
            {
                if (FlatOf(key) is null)
                    Write(key, value);
                continue;
            }
            var won = _winner[(int)meaning.Slot] == i;
            if (won && IsKeptElsewhere(meaning.Slot, value, input, output, asked, answered))
                continue;
            if (won && meaning.Slot is not (Slot.Operation or Slot.Provider) && meaning.Canonical is not null)
                WriteCanonical(meaning.Slot, meaning.Canonical, value);
            else if (won && meaning.Slot == Slot.Provider)
                WriteText("gen_ai.provider.name", value);
            else if (meaning.Slot == Slot.ToolDefinitions)
                WriteStructure(key, value);
            else if (meaning.Slot != Slot.Operation || !won || meaning.Rank > 0)
                Write(key, value);
        }
        if (operation is not null)
            _json.WriteString("gen_ai.operation.name", operation);
        WriteMessages("gen_ai.input.messages", input);
        WriteMessages("gen_ai.output.messages", output);
        WriteSpan();
        _json.WriteEndObject();
        _json.Flush();
        return Encoding.UTF8.GetString(_buffer.WrittenSpan);
    }

    /// <summary>Of a key that was sent twice the last one counts.</summary>
    int Last(string key)
    {
        var attributes = _span.Attributes;
        if (attributes.Count > FewAttributes)
        {
            if (_last.Count == 0)
                for (var i = 0; i < attributes.Count; i++)
                    _last[attributes[i].Key] = i;
            return _last[key];
        }
        for (var i = attributes.Count - 1; i >= 0; i--)
            if (ReferenceEquals(attributes[i].Key, key) || attributes[i].Key == key)
                return i;
        return NoAttribute;
    }

    static bool IsKeptElsewhere(
        Slot slot, in OtlpValue value, List<Message>? input, List<Message>? output, string? asked, string? answered) => slot switch
    {
        Slot.InputMessages => input is not null,
        Slot.OutputMessages or Slot.OutputText or Slot.OutputCalls => output is not null,
        Slot.InputValue or Slot.Query or Slot.ToolArguments => value.Text is { } text && text == asked,
        Slot.OutputValue or Slot.ToolResult or Slot.Documents => value.Text is { } text && text == answered,
        _ => false,
    };

    void Write(string key, in OtlpValue value)
    {
        if (key == "gen_ai.system_instructions")
        {
            WriteStructure(key, value);
            return;
        }
        _json.WritePropertyName(key);
        ValueJson.Write(_json, value);
    }

    void WriteText(string key, in OtlpValue value)
    {
        _json.WritePropertyName(key);
        ValueJson.Write(_json, value);
    }

    void WriteCanonical(Slot slot, string canonical, in OtlpValue value)
    {
        if (slot == Slot.FinishReasons)
        {
            using var list = ValueJson.Parse(value);
            _json.WritePropertyName(canonical);
            if (list is not null)
                list.RootElement.WriteTo(_json);
            else
            {
                _json.WriteStartArray();
                ValueJson.Write(_json, value);
                _json.WriteEndArray();
            }
        }
        else if (slot is >= Slot.InputTokens and <= Slot.ReasoningTokens && ValueJson.Count(value) is { } count)
            _json.WriteNumber(canonical, count);
        else
            WriteText(canonical, value);
    }

    /// <summary>A text that holds JSON becomes the structure that it means.</summary>
    void WriteStructure(string key, in OtlpValue value)
    {
        try
        {
            using var parsed = ValueJson.Parse(value);
            if (parsed is not null)
            {
                var raw = Messages.Raw(parsed.RootElement);
                _json.WritePropertyName(key);
                _json.WriteRawValue(raw, skipInputValidation: true);
                return;
            }
        }
        catch (InvalidOperationException)
        {
        }
        WriteText(key, value);
    }

    void WriteMessages(string key, List<Message>? messages)
    {
        if (messages is null)
            return;
        _json.WriteStartArray(key);
        foreach (var message in messages)
            _json.WriteRawValue(message.Json, skipInputValidation: true);
        _json.WriteEndArray();
    }

    /// <summary>What OpenTelemetry says of a span beside its attributes.</summary>
    void WriteSpan()
    {
        var span = _span;
        _json.WriteString("otel.span.name", span.Name);
        if (span.Kind is > 0 and <= 5)
            _json.WriteString("otel.span.kind",
                span.Kind switch { 1 => "internal", 2 => "server", 3 => "client", 4 => "producer", _ => "consumer" });
        if (span.StatusCode is 1 or 2)
            _json.WriteString("otel.status_code", span.StatusCode == 1 ? "OK" : "ERROR");
        if (span.TraceState is { Length: > 0 } state)
            _json.WriteString("otel.trace_state", state);
        if (span.Events.Count > 0)
        {
            _json.WriteStartArray("otel.events");
            foreach (var one in span.Events)
            {
                _json.WriteStartObject();
                _json.WriteString("name", one.Name);
                if (one.UnixNano > 0)
                    _json.WriteString("time", Moment(one.UnixNano).UtcDateTime);
                _json.WritePropertyName("attributes");
                ValueJson.WriteMap(_json, one.Attributes);
                _json.WriteEndObject();
            }
            _json.WriteEndArray();
        }
        if (span.Links.Count > 0)
        {
            _json.WriteStartArray("otel.links");
            foreach (var link in span.Links)
            {
                _json.WriteStartObject();
                _json.WriteString("trace_id", link.Trace);
                _json.WriteString("span_id", link.Span);
                _json.WritePropertyName("attributes");
                ValueJson.WriteMap(_json, link.Attributes);
                _json.WriteEndObject();
            }
            _json.WriteEndArray();
        }
        var origin = span.Origin;
        if (origin.Scope is { Length: > 0 })
            _json.WriteString("otel.scope.name", origin.Scope);
        if (origin.ScopeVersion is { Length: > 0 })
            _json.WriteString("otel.scope.version", origin.ScopeVersion);
        if (origin.ScopeAttributes.Count > 0)
        {
            _json.WritePropertyName("otel.scope.attributes");
            ValueJson.WriteMap(_json, origin.ScopeAttributes);
        }
        if (origin.Resource.Count > 0)
        {
            origin.Json ??= Encoding.UTF8.GetBytes(ValueJson.Make(json => ValueJson.WriteMap(json, origin.Resource)));
            _json.WritePropertyName("otel.resource");
            _json.WriteRawValue(origin.Json, skipInputValidation: true);
        }
    }
}
