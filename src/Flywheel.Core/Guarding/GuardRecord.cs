using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core.Metrics;

namespace Flywheel.Core.Guarding;

/// <summary>What guards said of a span's input or output, kept in the span's attributes under <see cref="Attribute"/>.</summary>
/// <remarks>
/// A redacted text no longer shows what was in it, so the verdict of a guard is the finding that it made before, and not a second
/// look at what was stored. Spans there are positions in the redacted text. Senders are trusted with this as with the texts.
/// </remarks>
public static class GuardRecord
{
    public const string Attribute = "flywheel.guard";

    static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The attribute's value for an input that was checked.</summary>
    /// <param name="input">What was checked, before redaction.</param>
    public static void Write(Utf8JsonWriter json, GuardAnswer answer, string input)
    {
        var redaction = new Redaction(input, answer.Findings.SelectMany(finding => finding.Redacts));
        json.WriteStartObject();
        json.WriteString("decision", Wire.Name(answer.Decision));
        json.WriteStartArray("findings");
        foreach (var finding in answer.Findings)
            WriteFinding(json, Moved(finding, redaction));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Attributes with findings added; an earlier finding of the same metric stays, since it saw the text before.</summary>
    /// <param name="attributes">JSON object, or null.</param>
    /// <param name="findings">With spans as positions in the stored text.</param>
    public static string With(string? attributes, IReadOnlyList<GuardFinding> findings)
    {
        var root = attributes is null ? [] : JsonNode.Parse(attributes) as JsonObject ?? [];
        if (root[Attribute] is not JsonObject record)
            root[Attribute] = record = new() { ["decision"] = Wire.Name(GuardDecision.Redact) };
        if (record["findings"] is not JsonArray list)
            record["findings"] = list = [];
        foreach (var finding in findings)
            if (!list.Any(known => known is JsonObject entry && entry["metric"]?.ToString() == finding.Metric))
                list.Add(JsonNode.Parse(Text(json => WriteFinding(json, finding))));
        return root.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>What a guard said before the span was stored; null when it left nothing.</summary>
    public static GuardFinding? Find(string? attributes, string metric)
    {
        // Most spans have none, and attributes can be megabytes.
        if (attributes is null || !attributes.Contains(Attribute, StringComparison.Ordinal))
            return null;
        try
        {
            using var json = JsonDocument.Parse(attributes);
            if (json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty(Attribute, out var record) && record.ValueKind == JsonValueKind.Object
                && record.TryGetProperty("findings", out var findings) && findings.ValueKind == JsonValueKind.Array)
                foreach (var item in findings.EnumerateArray())
                    if (ReadFinding(item) is { } finding && finding.Metric == metric)
                        return finding;
        }
        catch (JsonException)
        {
            // What an outside writer put there.
        }
        return null;
    }

    /// <summary>A finding with its spans where they are after a redaction.</summary>
    public static GuardFinding Moved(GuardFinding finding, Redaction redaction) => finding.Finding.Spans is null
        ? finding
        : finding with { Finding = finding.Finding with { Spans = [.. finding.Finding.Spans.Select(redaction.Move)] } };

    public static void WriteFinding(Utf8JsonWriter json, GuardFinding finding)
    {
        var it = finding.Finding;
        json.WriteStartObject();
        json.WriteString("metric", finding.Metric);
        json.WriteString("validator_version", finding.ValidatorVersion);
        json.WriteString("action", Wire.Name(finding.Action));
        json.WriteString("outcome", Wire.Name(it.Outcome));
        if (it.Score is { } score && double.IsFinite(score))
            json.WriteNumber("score", score);
        if (it.Confidence is { } confidence)
            json.WriteNumber("confidence", confidence);
        if (it.RawConfidence is { } raw)
            json.WriteNumber("raw_confidence", raw);
        if (it.Reason is { } reason)
            json.WriteString("reason", reason);
        if (it.CostUsd > 0)
            json.WriteNumber("cost_usd", it.CostUsd);
        if (it.Model is { } model)
            json.WriteString("model", model);
        if (it.Demonstrations is { Count: > 0 } demonstrations)
        {
            json.WriteStartArray("demonstrations");
            foreach (var id in demonstrations)
                json.WriteStringValue(id);
            json.WriteEndArray();
        }
        if (it.Spans is { } spans)
        {
            json.WritePropertyName("spans");
            FoundSpanJson.Write(json, spans);
        }
        json.WriteEndObject();
    }

    /// <summary>Null when it is no finding.</summary>
    public static GuardFinding? ReadFinding(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object
            || Text(item, "metric") is not { } metric || Text(item, "validator_version") is not { Length: > 0 and <= 200 } version
            || Wire.Parse<GuardAction>(Text(item, "action")) is not { } action
            || Wire.Parse<Outcome>(Text(item, "outcome")) is not { } outcome)
            return null;
        return new(metric, version, action, new(
            outcome, Number(item, "score"), Text(item, "reason"),
            Number(item, "confidence") is >= 0 and <= 1 and var confidence ? confidence : null,
            Number(item, "cost_usd") ?? 0, Text(item, "model"),
            item.TryGetProperty("demonstrations", out var ids) && ids.ValueKind == JsonValueKind.Array
                ? [.. ids.EnumerateArray().Where(id => id.ValueKind == JsonValueKind.String && id.TryGetGuid(out _))
                .Select(id => id.GetGuid())]
                : null,
            item.TryGetProperty("spans", out var spans) ? FoundSpanJson.Read(spans) : null)
        {
            RawConfidence = Number(item, "raw_confidence") is >= 0 and <= 1 and var raw ? raw : null,
        });
    }

    static string Text(Action<Utf8JsonWriter> fill)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
            fill(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    static string? Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    static double? Number(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var number) ? number : null;
}
