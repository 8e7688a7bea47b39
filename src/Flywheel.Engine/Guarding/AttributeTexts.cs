using System.Text.Json.Nodes;

namespace Flywheel.Engine.Guarding;

/// <summary>The texts inside a span's attributes: conversations are recorded there too.</summary>
static class AttributeTexts
{
    /// <summary>Changes every text and long number of a JSON object, names and what guards recorded left out.</summary>
    /// <param name="change">The text to put there; the same one leaves it.</param>
    /// <returns>The same object when nothing changed.</returns>
    public static string Change(string attributes, string except, Func<string, string> change)
    {
        if (JsonNode.Parse(attributes) is not JsonObject root)
            return attributes;
        var changed = false;
        foreach (var name in root.Select(property => property.Key).ToArray())
            if (name != except)
                changed |= Visit(root[name], replacement => root[name] = replacement);
        return changed ? root.ToJsonString(Json) : attributes;

        bool Visit(JsonNode? node, Action<JsonNode> replace)
        {
            switch (node)
            {
                case JsonObject inner:
                    var some = false;
                    foreach (var name in inner.Select(property => property.Key).ToArray())
                        some |= Visit(inner[name], replacement => inner[name] = replacement);
                    return some;
                case JsonArray list:
                    var any = false;
                    for (var i = 0; i < list.Count; i++)
                    {
                        var at = i;
                        any |= Visit(list[i], replacement => list[at] = replacement);
                    }
                    return any;
                case JsonValue value:
                    var text = value.TryGetValue<string>(out var own) ? own : value.ToJsonString();
                    if (text.Length < MinLength || change(text) is var other && other == text)
                        return false;
                    replace(JsonValue.Create(other));
                    return true;
                default:
                    return false;
            }
        }
    }

    /// <summary>Nothing worth hiding is shorter.</summary>
    const int MinLength = 6;

    static readonly System.Text.Json.JsonSerializerOptions Json =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
