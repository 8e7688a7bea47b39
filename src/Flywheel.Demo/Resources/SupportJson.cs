using System.Text.Encodings.Web;
using System.Text.Json;

namespace Flywheel.Demo.Resources;

/// <summary>How the sample writes JSON: one line, snake case, umlauts as themselves.</summary>
static class SupportJson
{
    public static JsonSerializerOptions Compact { get; } = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        PropertyNameCaseInsensitive = false,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
