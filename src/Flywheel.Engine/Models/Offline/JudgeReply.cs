using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flywheel.Engine.Models.Offline;

/// <summary>A JSON reply with a `verdict`: replies with one verdict vote together, whatever else they say.</summary>
internal static class JudgeReply
{
    public const string Verdict = "verdict";

    /// <summary>Readable output: nothing here is embedded in HTML.</summary>
    public static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>The verdict as JSON text, so that true and "true" differ; null when the reply is no judge's.</summary>
    public static string? VerdictOf(string reply) => Parse(reply)?[Verdict]?.ToJsonString(Json);

    /// <summary>The same reply with the vote share where it gives its confidence.</summary>
    public static string WithConfidence(string reply, double share)
    {
        var json = Parse(reply)!;
        if (json["confidence"] is JsonValue confidence && confidence.GetValueKind() == JsonValueKind.Number)
            json["confidence"] = Math.Round(share, 4);
        return json.ToJsonString(Json);
    }

    private static JsonObject? Parse(string reply)
    {
        var text = reply.AsSpan().Trim();
        if (text.Length < 2 || text[0] != '{' || text[^1] != '}')
            return null;
        try
        {
            return JsonNode.Parse(text.ToString(), documentOptions: s_strict) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
