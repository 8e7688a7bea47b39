using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Traces;

/// <summary>Reads a span as JSON of <c>POST /api/v1/spans</c>, or says which field cannot be right.</summary>
/// <remarks>Fields that we do not know are kept under the span's attributes: nothing that was sent is lost.</remarks>
public static class SpanReader
{
    /// <param name="now">When the span started, if it does not say.</param>
    /// <param name="problem">Null when a span was read. The values are checked later, by <see cref="SpanRules"/>.</param>
    public static NewSpan? Read(JsonElement item, DateTimeOffset now, out SpanRefusal? problem)
    {
        try
        {
            problem = null;
            return ReadFields(item, now);
        }
        catch (FieldException e)
        {
            problem = SpanRefusal.Invalid(e.Field, e.Message);
            return null;
        }
    }

    static NewSpan ReadFields(JsonElement item, DateTimeOffset now)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw new FieldException("span", $"A span is a JSON object, not {Name(item.ValueKind)}.");
        string? trace = null, id = null, parent = null, node = null, input = null, output = null, error = null;
        string? session = null, endUser = null, model = null;
        var kind = NodeKind.Other;
        DateTimeOffset? startedAt = null;
        double duration = 0;
        double? cost = null;
        int? tokensIn = null, tokensOut = null;
        JsonElement attributes = default;
        IReadOnlyList<Guid> demonstrations = [];
        List<JsonProperty>? unknown = null;
        foreach (var property in item.EnumerateObject())
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "trace_id": trace = Text(property); break;
                case "span_id": id = Text(property); break;
                case "parent_id": parent = Text(property); break;
                case "node": node = Text(property); break;
                case "kind": kind = Kind(property); break;
                case "input": input = TextOrJson(property); break;
                case "output": output = TextOrJson(property); break;
                case "error": error = TextOrJson(property); break;
                case "session": session = Text(property); break;
                case "end_user": endUser = Text(property); break;
                case "model": model = Text(property); break;
                case "started_at": startedAt = Time(property); break;
                case "duration_ms": duration = Number(property) ?? 0; break;
                case "cost_usd": cost = Number(property); break;
                case "input_tokens": tokensIn = Whole(property); break;
                case "output_tokens": tokensOut = Whole(property); break;
                case "demonstrations": demonstrations = Ids(property); break;
                case "attributes":
                    if (value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
                        throw new FieldException("attributes", $"`attributes` must be a JSON object, not {Name(value.ValueKind)}.");
                    attributes = value;
                    break;
                default: (unknown ??= []).Add(property); break;
            }
        }
        return new NewSpan
        {
            Key = new SpanKey(trace ?? "", id ?? ""),
            ParentId = parent,
            Node = node ?? "",
            Kind = kind,
            Input = input,
            Output = output,
            Error = error,
            StartedAt = startedAt ?? now,
            DurationMs = duration,
            Session = session,
            EndUser = endUser,
            Model = model,
            InputTokens = tokensIn,
            OutputTokens = tokensOut,
            CostUsd = cost,
            Attributes = Attributes(attributes, unknown),
            Demonstrations = demonstrations,
        };
    }

    static string? Attributes(JsonElement given, List<JsonProperty>? unknown)
    {
        if (given.ValueKind == JsonValueKind.Object)
            CheckTexts(given, "attributes");
        foreach (var property in unknown ?? [])
            CheckTexts(property.Value, property.Name);
        if (unknown is null)
            return given.ValueKind == JsonValueKind.Object ? given.GetRawText() : null;

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (given.ValueKind == JsonValueKind.Object)
                foreach (var property in given.EnumerateObject())
                    property.WriteTo(writer);
            foreach (var property in unknown)
                if (given.ValueKind != JsonValueKind.Object || !given.TryGetProperty(property.Name, out _))
                    property.WriteTo(writer);
            writer.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Escaped NUL and lone surrogates pass a JSON parser, but no database should hold them.</summary>
    static void CheckTexts(JsonElement element, string field)
    {
        if (JsonMarshal.GetRawUtf8Value(element).IndexOf("\\u"u8) < 0)
            return;
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                Checked(element, field);
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    CheckTexts(item, field);
                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    if (SpanRules.Text(PropertyName(property, field)) is { } why)
                        throw new FieldException(field, $"A key in `{field}` {why}");
                    CheckTexts(property.Value, field);
                }
                break;
        }
    }

    static string PropertyName(JsonProperty property, string field)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw new FieldException(
                field, $"A key in `{field}` holds half of a surrogate pair, which is no valid Unicode: repair the text.");
        }
    }

    static string Checked(JsonElement element, string field)
    {
        string text;
        try
        {
            text = element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new FieldException(field, $"`{field}` holds half of a surrogate pair, which is no valid Unicode: repair the text.");
        }
        return SpanRules.Text(text) is { } why ? throw new FieldException(field, $"`{field}` {why}") : text;
    }

    static string? Text(JsonProperty property) => property.Value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => Checked(property.Value, property.Name),
        var kind => throw new FieldException(property.Name, $"`{property.Name}` must be a string, not {Name(kind)}."),
    };

    static string? TextOrJson(JsonProperty property)
    {
        if (property.Value.ValueKind is JsonValueKind.Null or JsonValueKind.String)
            return Text(property);
        CheckTexts(property.Value, property.Name);
        return property.Value.GetRawText();
    }

    static NodeKind Kind(JsonProperty property) => property.Value.ValueKind == JsonValueKind.Null
        ? NodeKind.Other
        : Wire.Parse<NodeKind>(Text(property))
            ?? throw new FieldException("kind", $"`kind` is `{Text(property)}`: use {Wire.Choices<NodeKind>()}.");

    static DateTimeOffset? Time(JsonProperty property)
    {
        if (property.Value.ValueKind == JsonValueKind.Null)
            return null;
        return property.Value.ValueKind == JsonValueKind.String
            && DateTimeOffset.TryParse(
                Checked(property.Value, property.Name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at.ToUniversalTime()
            : throw new FieldException(property.Name, $"`{property.Name}` must be an ISO-8601 time, such as 2026-01-31T12:00:00Z.");
    }

    static double? Number(JsonProperty property) => property.Value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Number when property.Value.TryGetDouble(out var number) && double.IsFinite(number) && number >= 0 => number,
        _ => throw new FieldException(property.Name, $"`{property.Name}` must be a finite number, 0 or more."),
    };

    static int? Whole(JsonProperty property) => property.Value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Number when property.Value.TryGetInt32(out var number) && number >= 0 => number,
        _ => throw new FieldException(property.Name, $"`{property.Name}` must be a whole number, 0 or more."),
    };

    static List<Guid> Ids(JsonProperty property)
    {
        var ids = new List<Guid>();
        if (property.Value.ValueKind == JsonValueKind.Null)
            return ids;
        if (property.Value.ValueKind != JsonValueKind.Array)
            throw new FieldException(property.Name, "`demonstrations` must be a list of demonstration ids.");
        foreach (var item in property.Value.EnumerateArray())
            ids.Add(item.ValueKind == JsonValueKind.String && Guid.TryParse(Checked(item, property.Name), out var id)
                ? id
                : throw new FieldException(property.Name, "`demonstrations` must be a list of demonstration ids (UUIDs)."));
        return ids;
    }

    static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };

    sealed class FieldException(string field, string message) : Exception(message)
    {
        public string Field { get; } = field;
    }
}
