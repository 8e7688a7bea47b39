using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flywheel.Storage.Projects;

/// <summary>The prompt that a span recorded in its attributes.</summary>
internal static class RecordedPrompt
{
    public const string Erased = "[erased]";

    static readonly JsonSerializerOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The attributes without the texts of some demonstrations; null when they hold none of them.</summary>
    /// <remarks>
    /// A message that holds a demonstration's input goes, whatever the application wrapped around it, and the answer behind it. In other
    /// attributes, texts that hold an input go as a whole.
    /// </remarks>
    public static string? Without(string attributes, IReadOnlyList<(string Id, string Input, string Output)> demonstrations)
    {
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(attributes);
        }
        catch (JsonException)
        {
            return null;
        }
        var changed = false;
        if (root is JsonObject all && all["gen_ai.input.messages"] is JsonArray messages)
            for (var i = 0; i + 1 < messages.Count; i++)
                if (demonstrations.Any(each => Holds(messages[i], each.Input) && Holds(messages[i + 1], each.Output)))
                    changed |= Erase(messages[i + 1], _ => true);
        changed |= Erase(root, text =>
            demonstrations.Any(each => each.Input.Length > 0 && text.Contains(each.Input, StringComparison.Ordinal)));
        return changed ? root!.ToJsonString(Writing) : null;
    }

    static bool Holds(JsonNode? node, string text) => node switch
    {
        JsonObject members => members.Any(member => Holds(member.Value, text)),
        JsonArray items => items.Any(item => Holds(item, text)),
        JsonValue value => value.TryGetValue<string>(out var own) && own.Contains(text, StringComparison.Ordinal),
        _ => false,
    };

    static bool Erase(JsonNode? node, Func<string, bool> which)
    {
        var changed = false;
        if (node is JsonObject members)
            foreach (var (name, value) in members.ToArray())
                if (name is not ("role" or "type") && value is JsonValue text && text.TryGetValue<string>(out var own) && which(own))
                {
                    members[name] = Erased;
                    changed = true;
                }
                else
                {
                    changed |= Erase(value, which);
                }
        else if (node is JsonArray items)
            for (var i = 0; i < items.Count; i++)
                if (items[i] is JsonValue text && text.TryGetValue<string>(out var own) && which(own))
                {
                    items[i] = Erased;
                    changed = true;
                }
                else
                {
                    changed |= Erase(items[i], which);
                }
        return changed;
    }
}
