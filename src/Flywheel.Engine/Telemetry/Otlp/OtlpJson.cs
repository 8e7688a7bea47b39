using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Telemetry.Otlp;

/// <summary>Export requests in OTLP/JSON: ids in hex, enumerations as numbers (names are taken too), 64-bit numbers as strings.</summary>
public static class OtlpJson
{
    static readonly JsonDocumentOptions Options = new() { MaxDepth = 128 };

    public static OtlpBatch<OtlpSpan> Traces(ReadOnlyMemory<byte> body) =>
        Request(body, "resourceSpans", "scopeSpans", "spans", "A span", ReadSpan);

    public static OtlpBatch<OtlpLog> Logs(ReadOnlyMemory<byte> body) =>
        Request(body, "resourceLogs", "scopeLogs", "logRecords", "A log record", ReadLog);

    static OtlpBatch<T> Request<T>(
        ReadOnlyMemory<byte> body, string resources, string scopes, string items, string what, Func<JsonElement, OtlpOrigin, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new OtlpFormatException("The body is no JSON object.");
            var batch = new OtlpBatch<T>();
            foreach (var resource in Elements(document.RootElement, resources))
            {
                var attributes = Get(resource, "resource") is { } described ? Tolerant(described) : [];
                foreach (var scope in Elements(resource, scopes))
                {
                    var library = Get(scope, "scope");
                    var origin = new OtlpOrigin
                    {
                        Resource = attributes,
                        Scope = library is { } named ? String(named, "name") : null,
                        ScopeVersion = library is { } versioned ? String(versioned, "version") : null,
                        ScopeAttributes = library is { } attributed ? Tolerant(attributed) : [],
                    };
                    foreach (var item in Elements(scope, items))
                        Add(batch, item, origin, what, read);
                }
            }
            return batch;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new OtlpFormatException($"The body is not OTLP/JSON: {e.Message.Split(" Path:")[0]}", e);
        }
    }

    static void Add<T>(OtlpBatch<T> batch, JsonElement item, OtlpOrigin origin, string what, Func<JsonElement, OtlpOrigin, T> read)
    {
        if (batch.Items.Count + batch.Rejected >= OtlpLimits.MaxItems)
            throw new OtlpFormatException($"The request holds more than {OtlpLimits.MaxItems:N0} items: send several requests.");
        try
        {
            batch.Items.Add(read(item, origin));
        }
        catch (OtlpItemException e)
        {
            batch.Reject($"{what} {e.Message}");
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            // A lone surrogate, or a value of another type than the field's.
            batch.Reject($"{what} cannot be read: {e.Message}");
        }
    }

    static List<OtlpAttribute> Tolerant(JsonElement owner)
    {
        try
        {
            return Attributes(owner, 0);
        }
        catch (Exception e) when (e is OtlpItemException or InvalidOperationException or FormatException)
        {
            return [];
        }
    }

    static OtlpSpan ReadSpan(JsonElement json, OtlpOrigin origin)
    {
        var span = new OtlpSpan
        {
            Origin = origin,
            Trace = Id(json, "traceId", 32) ?? throw new OtlpItemException("has no traceId: give 32 hex digits."),
            Id = Id(json, "spanId", 16) ?? throw new OtlpItemException("has no spanId: give 16 hex digits."),
            Parent = Id(json, "parentSpanId", 16),
            TraceState = String(json, "traceState") is { Length: > 0 } state ? state : null,
            Name = String(json, "name") ?? "",
            Kind = Enumerated(json, "kind", "SPAN_KIND_", ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]),
            Start = Unsigned(json, "startTimeUnixNano"),
            End = Unsigned(json, "endTimeUnixNano"),
        };
        span.Attributes.AddRange(Attributes(json, 0));
        foreach (var one in Elements(json, "events"))
            span.Events.Add(new(String(one, "name") ?? "", Unsigned(one, "timeUnixNano"), Attributes(one, 0)));
        foreach (var link in Elements(json, "links"))
            span.Links.Add(new(String(link, "traceId") ?? "", String(link, "spanId") ?? "", Attributes(link, 0)));
        if (Get(json, "status") is { } status)
        {
            span.StatusCode = Enumerated(status, "code", "STATUS_CODE_", ["UNSET", "OK", "ERROR"]);
            span.StatusMessage = String(status, "message");
        }
        return span;
    }

    static OtlpLog ReadLog(JsonElement json, OtlpOrigin origin)
    {
        var log = new OtlpLog
        {
            Origin = origin,
            Trace = Id(json, "traceId", 32),
            Span = Id(json, "spanId", 16),
            EventName = String(json, "eventName"),
            UnixNano = Unsigned(json, "timeUnixNano") is var at and > 0 ? at : Unsigned(json, "observedTimeUnixNano"),
            Body = Get(json, "body") is { } body ? Value(body, 0) : default,
        };
        log.Attributes.AddRange(Attributes(json, 0));
        return log;
    }

    static List<OtlpAttribute> Attributes(JsonElement owner, int depth)
    {
        var attributes = new List<OtlpAttribute>();
        foreach (var pair in Elements(owner, "attributes"))
            attributes.Add(Attribute(pair, depth));
        OtlpLimits.Attributes(attributes.Count);
        return attributes;
    }

    static OtlpAttribute Attribute(JsonElement pair, int depth) =>
        new(String(pair, "key") ?? "", Get(pair, "value") is { } value ? Value(value, depth) : default);

    static OtlpValue Value(JsonElement json, int depth)
    {
        if (depth > OtlpLimits.MaxDepth)
            throw new OtlpItemException($"has an attribute more than {OtlpLimits.MaxDepth} levels deep: flatten it.");
        foreach (var property in json.EnumerateObject())
            switch (property.Name)
            {
                case "stringValue": return OtlpValue.Of(Checked(property.Value.GetString() ?? ""));
                case "boolValue": return OtlpValue.Of(property.Value.GetBoolean());
                case "intValue": return OtlpValue.Of(Signed(property.Value));
                case "doubleValue": return OtlpValue.Of(Floating(property.Value));
                case "bytesValue": return OtlpValue.Of(property.Value.GetBytesFromBase64());
                case "arrayValue": return OtlpValue.Of(Elements(property.Value, "values").Select(item => Value(item, depth + 1)).ToArray());
                case "kvlistValue": return OtlpValue.Of(
                    Elements(property.Value, "values").Select(item => Attribute(item, depth + 1)).ToArray());
            }
        return default;
    }

    static string Checked(string text) => SpanRules.Text(text) is { } why ? throw new OtlpItemException(why) : text;

    static JsonElement? Get(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value)
            && value.ValueKind != JsonValueKind.Null ? value : null;

    static JsonElement.ArrayEnumerator Elements(JsonElement owner, string name) =>
        Get(owner, name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    static string? String(JsonElement owner, string name) => Get(owner, name) is { } value ? Checked(value.GetString() ?? "") : null;

    static string? Id(JsonElement owner, string name, int digits)
    {
        var text = String(owner, name);
        if (string.IsNullOrEmpty(text))
            return null;
        if (text.Length != digits || !text.All(char.IsAsciiHexDigit))
            throw new OtlpItemException($"has the {name} `{(text.Length > 64 ? text[..64] + "…" : text)}`: give {digits} hex digits.");
        if (text.All(digit => digit == '0'))
            return name == "parentSpanId" ? null : throw new OtlpItemException($"has a {name} of zeros only: give it an id.");
        return text.ToLowerInvariant();
    }

    static int Enumerated(JsonElement owner, string name, string prefix, string[] names) => Get(owner, name) switch
    {
        null => 0,
        { ValueKind: JsonValueKind.Number } number => number.GetInt32(),
        var word => Math.Max(0, Array.IndexOf(names, (word.Value.GetString() ?? "").Replace(prefix, "", StringComparison.Ordinal))),
    };

    static ulong Unsigned(JsonElement owner, string name) => Get(owner, name) switch
    {
        null => 0,
        { ValueKind: JsonValueKind.Number } number => number.GetUInt64(),
        var text => ulong.Parse(text.Value.GetString()!, NumberStyles.None, CultureInfo.InvariantCulture),
    };

    static long Signed(JsonElement value) => value.ValueKind == JsonValueKind.Number
        ? value.GetInt64()
        : long.Parse(value.GetString()!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    static double Floating(JsonElement value) => value.ValueKind == JsonValueKind.Number
        ? value.GetDouble()
        : value.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            var text => double.Parse(text!, NumberStyles.Float, CultureInfo.InvariantCulture),
        };
}
