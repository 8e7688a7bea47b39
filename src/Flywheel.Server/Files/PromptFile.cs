using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Prompts;
using Flywheel.Engine.Evaluation;

namespace Flywheel.Server.Files;

/// <summary>A prompt in a file: a text, or JSON with messages.</summary>
static class PromptFile
{
    /// <exception cref="RequestException">There is no such file, or it holds no prompt.</exception>
    public static async Task<PromptText> ReadAsync(string path, CancellationToken ct)
    {
        if (!File.Exists(path))
            throw Wrong($"There is no file {path}: --prompt-file names a text, or a JSON file of messages.");
        var text = await File.ReadAllTextAsync(path, ct);
        var (type, template, config) = (PromptType.Text, text, "{}");
        if (Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase))
            (type, template, config) = OfJson(path, text);
        return PromptTemplate.Wrong(type, template) is { } wrong
            ? throw Wrong($"{path} {wrong}")
            : new(type, template, config, $"{Path.GetFileName(path)}@{Hash(template, config)[..8]}");
    }

    /// <summary>
    /// A list of messages, or an object with <c>template</c> and <c>config</c> as POST /api/v1/prompts/NAME/versions takes it.
    /// </summary>
    static (PromptType, string, string) OfJson(string path, string text)
    {
        JsonElement json;
        try
        {
            json = JsonElement.Parse(text);
        }
        catch (JsonException e)
        {
            throw Wrong($"{path} is no JSON: {e.Message.Split(" Path:")[0]}");
        }
        var config = "{}";
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty("template", out var template))
        {
            config = json.TryGetProperty("config", out var given) && given.ValueKind == JsonValueKind.Object ? given.GetRawText() : "{}";
            json = template;
        }
        return json.ValueKind == JsonValueKind.String
            ? (PromptType.Text, json.GetString()!, config) : (PromptType.Chat, json.GetRawText(), config);
    }

    static RequestException Wrong(string message) => RequestException.BadField("prompt_file", message);

    static string Hash(params string[] parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(parts))));
}
