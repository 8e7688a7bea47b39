using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Datasets;

/// <summary>Rows of a file as items: fields without another meaning become attributes.</summary>
static class DatasetRows
{
    const int MaxSplit = 100;

    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Fields of an exported item that are not content.</summary>
    static readonly string[] Reserved = ["ordinal", "added_in", "removed_in", "trace_id", "span_id", "end_user", "attributes"];

    /// <returns>The item, or null with the reason.</returns>
    public static NewDatasetItem? Read(JsonElement row, DatasetFields fields, out string problem)
    {
        problem = "";
        if (Text(row, fields.Input) is not { } input)
        {
            problem = $"The field `{fields.Input}` is missing: the row has {Names(row)}.";
            return null;
        }
        var expected = fields.Expected ?? (row.TryGetProperty("expected", out _) ? "expected" : "reference");
        var attributes = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        if (row.TryGetProperty("attributes", out var inner) && inner.ValueKind != JsonValueKind.Null)
        {
            // Parquet and CSV carry objects as their text.
            if (inner.ValueKind == JsonValueKind.String && Parsed(inner.GetString()!) is { } parsed)
                inner = parsed;
            if (inner.ValueKind != JsonValueKind.Object)
            {
                problem = "`attributes` must be an object.";
                return null;
            }
            foreach (var property in inner.EnumerateObject())
                attributes[property.Name] = JsonNode.Parse(property.Value.GetRawText());
        }
        foreach (var property in row.EnumerateObject())
            if (property.Name != fields.Input && property.Name != expected && property.Name != fields.Split
                && !Reserved.Contains(property.Name)
                && !IsNothing(property.Value) && !attributes.TryAdd(property.Name, JsonNode.Parse(property.Value.GetRawText())))
            {
                problem = $"`{property.Name}` is a field of the row and one of its `attributes`: keep one.";
                return null;
            }
        var (trace, span) = (Text(row, "trace_id"), Text(row, "span_id"));
        return Checked(
            new(input, Text(row, expected), Json(attributes), Text(row, fields.Split), trace is null
                || span is null ? null : new SpanKey(trace, span),
                Text(row, "end_user")), out problem);
    }

    public static NewDatasetItem? Read(DatasetItemRequest body, out string problem)
    {
        problem = "";
        if (body.Attributes is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null) })
        {
            problem = "`attributes` must be an object.";
            return null;
        }
        var attributes = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        if (body.Attributes is { ValueKind: JsonValueKind.Object } given)
            foreach (var property in given.EnumerateObject())
                attributes[property.Name] = JsonNode.Parse(property.Value.GetRawText());
        if ((body.TraceId is null) != (body.SpanId is null))
        {
            problem = "`trace_id` and `span_id` name a span together: give both or none.";
            return null;
        }
        return Checked(
            new(body.Input, body.Expected, Json(attributes), body.Split,
                body.TraceId is null ? null : new SpanKey(body.TraceId, body.SpanId!), body.EndUser),
            out problem);
    }

    static NewDatasetItem? Checked(NewDatasetItem item, out string problem)
    {
        problem = "";
        foreach (var (field, text) in new[] { ("input", item.Input), ("expected", item.Expected), ("attributes", item.Attributes) })
            if (text is not null && SpanRules.Text(text) is { } why)
                problem = $"`{field}` {why}";
        if (string.IsNullOrWhiteSpace(item.Input))
            problem = "`input` is empty.";
        foreach (var (field, name, longest) in new[]
        {
            ("split", item.Split, MaxSplit), ("end_user", item.EndUser, SpanRules.MaxNameLength),
            ("trace_id", item.Source?.Trace, SpanRules.MaxIdLength),
            ("span_id", item.Source?.Span, SpanRules.MaxIdLength),
        })
            if (name is not null && SpanRules.Name(name, longest) is { } why)
                problem = $"`{field}` {why}";
        return problem.Length == 0 ? item : null;
    }

    /// <summary>Null, and what CSV has in its place.</summary>
    static bool IsNothing(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.String && value.ValueEquals(""u8));

    /// <summary>As text; an empty field of a CSV file is nothing.</summary>
    static string? Text(JsonElement row, string field) => JsonFields.Text(row, field) is { Length: > 0 } text ? text : null;

    static string? Json(SortedDictionary<string, JsonNode?> attributes) =>
        attributes.Count == 0 ? null : new JsonObject(attributes).ToJsonString(Plain);

    static JsonElement? Parsed(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static string Names(JsonElement row) =>
        row.EnumerateObject().Any()
            ? string.Join(", ", row.EnumerateObject().Take(20).Select(property => $"`{property.Name}`")) : "no fields";
}
