using System.Text.Json;
using Flywheel.Core.Traces;
using Flywheel.Engine.Telemetry.Otlp;

namespace Flywheel.Engine.Telemetry.Mapping;

/// <summary>Messages that came as an event.</summary>
sealed record EventText(TextPlace Place, IReadOnlyList<Message> Messages);

/// <summary>Reads the content of events: of a span, or sent as log records.</summary>
static class EventTexts
{
    /// <param name="body">The log record's body; empty for an event of a span, whose attributes hold what a body would.</param>
    public static IEnumerable<EventText> Read(string? name, OtlpValue body, IReadOnlyList<OtlpAttribute> attributes)
    {
        switch (name)
        {
            case "gen_ai.client.inference.operation.details" or "gen_ai.client.operation.details":
                foreach (var (key, value) in attributes)
                    if (Details(key, value) is { } text)
                        yield return text;
                foreach (var (key, value) in body.Map)
                    if (Details(key, value) is { } text)
                        yield return text;
                break;
            case "gen_ai.content.prompt" or "gen_ai.content.completion":
                var key2 = name == "gen_ai.content.prompt" ? "gen_ai.prompt" : "gen_ai.completion";
                foreach (var (key, value) in attributes)
                    if (key == key2 && Parsed(value, name == "gen_ai.content.prompt" ? "user" : "assistant") is { } messages)
                        yield return new(name == "gen_ai.content.prompt" ? TextPlace.Input : TextPlace.Output, messages);
                break;
            case "gen_ai.system.message" or "gen_ai.user.message" or "gen_ai.assistant.message" or "gen_ai.tool.message" or "gen_ai.choice":
                var role = name == "gen_ai.choice" ? "assistant" : name.Split('.')[1];
                var content = body.Kind == OtlpKind.Empty ? OtlpValue.Of([.. attributes.Select(Structured)]) : body;
                if (Parsed(content, role) is { } said)
                    yield return new(name == "gen_ai.choice" ? TextPlace.Output : TextPlace.Input, said);
                break;
        }
    }

    static EventText? Details(string key, OtlpValue value) => key switch
    {
        "gen_ai.input.messages" => Parsed(value, "user") is { } messages ? new(TextPlace.Input, messages) : null,
        "gen_ai.output.messages" => Parsed(value, "assistant") is { } messages ? new(TextPlace.Output, messages) : null,
        "gen_ai.system_instructions" => Parsed(value, "system") is { } messages ? new(TextPlace.System, messages) : null,
        _ => null,
    };

    /// <summary>An attribute that holds JSON as text (older events flatten their body so) as the structure.</summary>
    static OtlpAttribute Structured(OtlpAttribute attribute)
    {
        if (attribute.Key is not ("message" or "tool_calls") || attribute.Value.Text is not { } text)
            return attribute;
        using var parsed = ValueJson.Parse(text);
        return parsed is null ? attribute : new(attribute.Key, FromJson(parsed.RootElement));
    }

    static OtlpValue FromJson(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object =>
            OtlpValue.Of([.. json.EnumerateObject().Select(member => new OtlpAttribute(member.Name, FromJson(member.Value)))]),
        JsonValueKind.Array => OtlpValue.Of([.. json.EnumerateArray().Select(FromJson)]),
        JsonValueKind.String => OtlpValue.Of(json.GetString()!),
        JsonValueKind.Number => json.TryGetInt64(out var whole) ? OtlpValue.Of(whole) : OtlpValue.Of(json.GetDouble()),
        JsonValueKind.True or JsonValueKind.False => OtlpValue.Of(json.GetBoolean()),
        _ => default,
    };

    static List<Message>? Parsed(OtlpValue value, string role)
    {
        try
        {
            using var document = ValueJson.Parse(value);
            if (document is null)
                return value.Text is { Length: > 0 } text ? [Messages.OfText(role, text)] : null;
            var messages = Messages.Read(document.RootElement, role);
            return messages.Count > 0 ? messages : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
