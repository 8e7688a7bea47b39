using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Models.Offline;

/// <summary>The JSON schema that a caller wants the reply in, as far as a choice among options needs it.</summary>
/// <param name="Property">The property that holds the choice; null when the reply is the bare choice.</param>
/// <param name="Options">Values of the schema's first enum; none when it has none.</param>
internal sealed record ReplyShape(string? Property, IReadOnlyList<string> Options, JsonElement Schema)
{
    /// <summary>Names of properties that say why.</summary>
    public static readonly string[] Explanations = ["rationale", "reason", "reasoning", "explanation", "critique"];

    /// <summary>Null when the caller sets no schema.</summary>
    public static ReplyShape? Of(ChatOptions? options)
    {
        if (options?.ResponseFormat is not ChatResponseFormatJson { Schema: { ValueKind: JsonValueKind.Object } schema })
            return null;
        if (Enum(schema) is { } bare)
            return new(null, bare, schema);
        if (schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in properties.EnumerateObject())
                if (Enum(property.Value) is { } values)
                    return new(property.Name, values, schema);
        }

        return new(null, [], schema);
    }

    /// <summary>A reply that fits the schema around a choice.</summary>
    /// <param name="share">Goes where the schema wants a number; in [0, 1].</param>
    /// <param name="why">Goes where the schema wants an explanation.</param>
    public string Reply(string choice, double share, string why)
    {
        if (Property is null)
            return JsonValue.Create(choice).ToJsonString(JudgeReply.Json);

        var reply = new JsonObject();
        foreach (var property in Schema.GetProperty("properties").EnumerateObject())
        {
            reply[property.Name] = property.Name == Property ? choice : Type(property.Value) switch
            {
                "number" => Math.Round(share, 4),
                "integer" => 0,
                "boolean" => false,
                "array" => new JsonArray(),
                "object" => new JsonObject(),
                _ => Explanations.Contains(property.Name) ? why : "",
            };
        }

        return reply.ToJsonString(JudgeReply.Json);
    }

    /// <summary>Whether the schema has a numeric property of that name.</summary>
    public bool HasNumber(string property) =>
        Schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object
        && properties.TryGetProperty(property, out var schema) && Type(schema) == "number";

    /// <summary>What a reply of this shape chose; null when it is not of this shape.</summary>
    public string? ChoiceOf(string reply)
    {
        try
        {
            return JsonNode.Parse(reply, documentOptions: new() { AllowDuplicateProperties = false }) switch
            {
                JsonObject json when Property is not null =>
                    json[Property]?.GetValueKind() == JsonValueKind.String ? (string?)json[Property] : null,
                JsonValue value when Property is null && value.GetValueKind() == JsonValueKind.String => (string?)value,
                _ => null,
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IReadOnlyList<string>? Enum(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("enum", out var values) && values.ValueKind == JsonValueKind.Array
            ? [.. values.EnumerateArray().Where(value => value.ValueKind == JsonValueKind.String).Select(value => value.GetString()!)
            .Distinct(StringComparer.OrdinalIgnoreCase)]
            : null;

    private static string? Type(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            ? type.GetString()
            : null;
}
