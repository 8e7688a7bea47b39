using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Flywheel.Core.Prompts;

/// <summary>One message of a prompt, with or without its placeholders filled.</summary>
public sealed record PromptMessage(string Role, string Content);

/// <summary>A filled prompt.</summary>
/// <param name="Missing">Placeholders that no value was given for; they stand in the messages as they are.</param>
public sealed record RenderedPrompt(IReadOnlyList<PromptMessage> Messages, IReadOnlyList<string> Missing);

/// <summary>A version's wording: its placeholders, its check and its filling.</summary>
/// <remarks>
/// Placeholders are <c>{{name}}</c>, white space inside allowed. Filling is one pass: what a value says is text, so a value that holds
/// <c>{{other}}</c> is not filled again. Braces that hold no name stay as they are.
/// </remarks>
public static partial class PromptTemplate
{
    public const int MaxLength = 500_000;

    static readonly string[] Roles = ["system", "developer", "user", "assistant"];

    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static readonly JsonSerializerOptions Pretty = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Why a template cannot be used; null when it can.</summary>
    public static string? Wrong(PromptType type, string template)
    {
        if (template.Length > MaxLength)
            return $"has {template.Length:N0} characters; the limit is {MaxLength:N0}.";
        if (string.IsNullOrWhiteSpace(template))
            return "is empty: write the prompt's text.";
        if (type == PromptType.Text)
            return null;
        try
        {
            using var json = JsonDocument.Parse(template);
            if (json.RootElement.ValueKind != JsonValueKind.Array || json.RootElement.GetArrayLength() == 0)
                return "must be a list of messages: [{\"role\": \"system\", \"content\": \"...\"}].";
            foreach (var message in json.RootElement.EnumerateArray())
            {
                if (message.ValueKind != JsonValueKind.Object || message.EnumerateObject().Count() != 2
                    || !message.TryGetProperty("role", out var role) || role.ValueKind != JsonValueKind.String
                    || !message.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.String)
                    return "has a message that is not {\"role\": text, \"content\": text}.";
                if (!Roles.Contains(role.GetString()))
                    return $"has the role `{role.GetString()}`: use {string.Join(", ", Roles)}.";
            }
            return null;
        }
        catch (JsonException)
        {
            return "is no JSON: a chat prompt is a list of messages.";
        }
    }

    /// <summary>A text prompt is one system message.</summary>
    public static IReadOnlyList<PromptMessage> Messages(PromptType type, string template)
    {
        if (type == PromptType.Text)
            return [new("system", template)];
        using var json = JsonDocument.Parse(template);
        return [.. json.RootElement.EnumerateArray().Select(message =>
            new PromptMessage(message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!))];
    }

    /// <summary>The stored form of messages.</summary>
    public static string Write(IEnumerable<PromptMessage> messages)
    {
        var list = new JsonArray();
        foreach (var message in messages)
            list.Add(new JsonObject { ["role"] = message.Role, ["content"] = message.Content });
        return list.ToJsonString(Plain);
    }

    /// <summary>Names of the placeholders, in the order of their first use.</summary>
    public static IReadOnlyList<string> Variables(PromptType type, string template) =>
        [.. Messages(type, template).SelectMany(message => Placeholder().Matches(message.Content)).Select(found => found.Groups[1].Value)
            .Distinct()];

    public static RenderedPrompt Render(PromptType type, string template, Func<string, string?> value)
    {
        var missing = new List<string>();
        var messages = Messages(type, template).Select(message => message with
        {
            Content = Placeholder().Replace(message.Content, found =>
            {
                var name = found.Groups[1].Value;
                if (value(name) is { } given)
                    return given;
                if (!missing.Contains(name))
                    missing.Add(name);
                return found.Value;
            }),
        }).ToArray();
        return new(messages, missing);
    }

    /// <summary>A version as lines, for people and for diffs: each message under its role, then the config.</summary>
    public static string Lines(PromptVersion version)
    {
        var text = version.Type == PromptType.Text
            ? version.Template.ReplaceLineEndings("\n").TrimEnd('\n') + "\n"
            : string.Concat(Messages(version.Type, version.Template)
                .Select(message => $"[{message.Role}]\n{message.Content.ReplaceLineEndings("\n").TrimEnd('\n')}\n"));
        return version.Config == "{}" ? text : text + "[config]\n" + JsonNode.Parse(version.Config)!.ToJsonString(Pretty)
            .ReplaceLineEndings("\n") + "\n";
    }

    [GeneratedRegex(@"\{\{\s*([A-Za-z_][A-Za-z0-9_.\-]{0,99})\s*\}\}")]
    private static partial Regex Placeholder();
}
