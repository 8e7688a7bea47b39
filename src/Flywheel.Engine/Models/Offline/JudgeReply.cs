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

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The verdict as JSON text, so that true and "true" differ; null when the reply is no judge's.</summary>
    public static string? VerdictOf(string reply) => Parse(reply)?[Verdict]?.ToJsonString(Json);

    /// <summary>An example's verdict on another text: its explanation is quoted as the example's, its confidence is the vote's.</summary>
    public static string Like(string reply, double share, ReplyShape? shape)
    {
        var json = Parse(reply)!;
        foreach (var name in ReplyShape.Explanations)
            if (json[name] is JsonValue said && said.GetValueKind() == JsonValueKind.String)
                json[name] = $"As of the most similar example: {said.GetValue<string>()}";
        if (json["confidence"] is JsonValue confidence && confidence.GetValueKind() == JsonValueKind.Number
            || shape?.HasNumber("confidence") == true)
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
            return JsonNode.Parse(text.ToString(), documentOptions: Strict) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
