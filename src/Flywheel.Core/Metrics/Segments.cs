using System.Text.Json;

namespace Flywheel.Core.Metrics;

/// <summary>Which segments of the application's users a span belongs to, so that a metric can be about some of them only.</summary>
/// <remarks>
/// <c>user:ID</c> from the span's end user; <c>tenant:X</c> and <c>group:X</c> from the attributes <c>tenant</c>, <c>tenant.id</c> and
/// <c>user.group</c>, <c>user_group</c>; and what the attribute <c>flywheel.segment</c> says, a text or a list of texts, as it stands.
/// </remarks>
public static class Segments
{
    public const string Attribute = "flywheel.segment";

    static readonly (string Attribute, string Prefix)[] Known =
        [(Attribute, ""), ("tenant", "tenant:"), ("tenant.id", "tenant:"), ("user.group", "group:"), ("user_group", "group:")];

    /// <param name="attributes">JSON object; null and what is no object give no segments.</param>
    public static IReadOnlyList<string> Of(string? endUser, string? attributes)
    {
        var found = new List<string>();
        if (endUser is not null)
            found.Add("user:" + endUser);
        if (attributes is null)
            return found;
        try
        {
            using var json = JsonDocument.Parse(attributes);
            if (json.RootElement.ValueKind == JsonValueKind.Object)
                foreach (var (attribute, prefix) in Known)
                    if (json.RootElement.TryGetProperty(attribute, out var value))
                        Add(found, prefix, value);
        }
        catch (JsonException)
        {
            // Attributes that an outside writer put there: no JSON, so no segments.
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair in a text.
        }
        return found;
    }

    /// <returns>Null when the metric is about one of the segments; otherwise the reason in words.</returns>
    public static string? WhyNot(Metric metric, IReadOnlyList<string> segments) =>
        metric.Segments is not { } wanted || wanted.Any(segments.Contains) ? null
        : segments.Count == 0 ? "not about spans without a segment"
        : $"not about segment {string.Join(", ", segments.Take(3))}";

    static void Add(List<string> found, string prefix, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
            foreach (var item in value.EnumerateArray())
                Add(found, prefix, item);
        else if (value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
            found.Add(prefix + value.ToString());
    }
}
