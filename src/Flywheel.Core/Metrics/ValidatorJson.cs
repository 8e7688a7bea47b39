using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flywheel.Core.Metrics;

/// <summary>The wire form of a validator: its kind and its settings in one object.</summary>
public static class ValidatorJson
{
    public static ValidatorSpec Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw RequestException.BadField("validator", "`validator` must be an object, such as {\"kind\": \"length\", \"max\": 400}.");
        if (!json.TryGetProperty("kind", out var kind) || kind.ValueKind != JsonValueKind.String)
            throw RequestException.BadField("validator.kind", "`validator.kind` is missing: GET /api/v1/validators lists the kinds.");
        var settings = new JsonObject();
        foreach (var property in json.EnumerateObject())
            if (property.Name != "kind")
                settings[property.Name] = JsonNode.Parse(property.Value.GetRawText());
        return new ValidatorSpec(kind.GetString()!, JsonSerializer.SerializeToElement(settings));
    }

    public static JsonElement Write(ValidatorSpec spec)
    {
        var json = new JsonObject { ["kind"] = spec.Kind };
        foreach (var property in spec.Settings.EnumerateObject())
            json[property.Name] = JsonNode.Parse(property.Value.GetRawText());
        return JsonSerializer.SerializeToElement(json);
    }
}
