using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics.Validators;

namespace Flywheel.Engine.Metrics.Schema;

/// <summary>Keywords about a value by itself: type, bounds, text.</summary>
static class ValueKeywords
{
    public static IReadOnlyList<string> Names { get; } =
    [
        "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "pattern", "format",
    ];

    static readonly string[] Types = ["null", "boolean", "object", "array", "number", "integer", "string"];

    public static SchemaRule? Compile(JsonProperty keyword, string at) => keyword.Name switch
    {
        "type" => Type(keyword.Value, at),
        "enum" => Enum(keyword.Value, at),
        "const" => Const(keyword.Value),
        "minimum" => Bound(keyword.Value, at, static (sign) => sign >= 0, "less than"),
        "maximum" => Bound(keyword.Value, at, static (sign) => sign <= 0, "more than"),
        "exclusiveMinimum" => Bound(keyword.Value, at, static (sign) => sign > 0, "not more than"),
        "exclusiveMaximum" => Bound(keyword.Value, at, static (sign) => sign < 0, "not less than"),
        "multipleOf" => MultipleOf(keyword.Value, at),
        "minLength" => Length(Count(keyword.Value, at), static (length, bound) => length >= bound, "fewer than"),
        "maxLength" => Length(Count(keyword.Value, at), static (length, bound) => length <= bound, "more than"),
        "pattern" => Pattern(keyword.Value, at),
        "format" => Format(keyword.Value, at),
        _ => null,
    };

    /// <summary>A whole number that is not negative.</summary>
    public static int Count(JsonElement value, string at) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var count) && count == decimal.Truncate(count)
        && count is >= 0 and <= int.MaxValue
            ? (int)count
            : throw new SchemaException($"{at} must be a whole number, 0 or more");

    static SchemaRule Type(JsonElement value, string at)
    {
        JsonElement[] given = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        var types = given.Select(type => type.ValueKind == JsonValueKind.String ? type.GetString()! : "").ToArray();
        if (types.FirstOrDefault(type => !Types.Contains(type)) is { } unknown || types.Length == 0)
            throw new SchemaException($"{at} must be one or a list of {NearMiss.List(Types)}");
        var wanted = string.Join(" or ", types);
        return (element, path, check) =>
        {
            foreach (var type in types)
                if (Is(element, type))
                    return;
            check.Fail(path, $"is {Describe(element)}, not {wanted}");
        };
    }

    static bool Is(JsonElement value, string type) => value.ValueKind switch
    {
        JsonValueKind.Null => type == "null",
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        JsonValueKind.String => type == "string",
        _ => type == "number" || type == "integer" && IsWhole(value),
    };

    static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Number => IsWhole(value) ? "an integer" : "a number",
        JsonValueKind.Null => "null",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => "a string",
    };

    static bool IsWhole(JsonElement number) =>
        number.TryGetDecimal(out var exact) ? exact == decimal.Truncate(exact)
        : number.TryGetDouble(out var near) && double.IsFinite(near) && near == Math.Floor(near);

    static SchemaRule Enum(JsonElement value, string at)
    {
        if (value.ValueKind != JsonValueKind.Array)
            throw new SchemaException($"{at} must be a list of values");
        var allowed = value.EnumerateArray().ToHashSet(JsonEquality.Instance);
        return (element, path, check) =>
        {
            if (!allowed.Contains(element))
                check.Fail(path, $"is none of the {allowed.Count} allowed values");
        };
    }

    static SchemaRule Const(JsonElement value) => (element, path, check) =>
    {
        if (!JsonEquality.Instance.Equals(element, value))
            check.Fail(path, "is not the one allowed value");
    };

    static SchemaRule Bound(JsonElement value, string at, Func<int, bool> fits, string what)
    {
        if (value.ValueKind != JsonValueKind.Number)
            throw new SchemaException($"{at} must be a number");
        var bound = value.GetRawText();
        return (element, path, check) =>
        {
            if (element.ValueKind == JsonValueKind.Number && !fits(Compare(element, value)))
                check.Fail(path, $"is {Shown(element)}, {what} {bound}");
        };
    }

    static int Compare(JsonElement left, JsonElement right) =>
        left.TryGetDecimal(out var a) && right.TryGetDecimal(out var b) ? a.CompareTo(b) : left.GetDouble().CompareTo(right.GetDouble());

    static string Shown(JsonElement number) => number.GetRawText() is { Length: <= 30 } text ? text : number.GetRawText()[..30] + "…";

    static SchemaRule MultipleOf(JsonElement value, string at)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var step) || step <= 0)
            throw new SchemaException($"{at} must be a number above 0");
        return (element, path, check) =>
        {
            if (element.ValueKind == JsonValueKind.Number && !IsMultiple(element, value))
                check.Fail(path, $"is {Shown(element)}, no multiple of {value.GetRawText()}");
        };
    }

    static bool IsMultiple(JsonElement number, JsonElement step)
    {
        try
        {
            if (number.TryGetDecimal(out var a) && step.TryGetDecimal(out var b) && b != 0)
                return a % b == 0;
        }
        catch (OverflowException)
        {
            // Beyond decimal's range: the floating-point quotient below decides.
        }
        var quotient = number.GetDouble() / step.GetDouble();
        return double.IsFinite(quotient) && quotient == Math.Floor(quotient);
    }

    static SchemaRule Length(int bound, Func<int, int, bool> fits, string what) => (element, path, check) =>
    {
        if (element.ValueKind != JsonValueKind.String)
            return;
        var length = LengthKind.CountCharacters(element.GetString()!);
        if (!fits(length, bound))
            check.Fail(path, $"has {length} characters, {what} {bound}");
    };

    static SchemaRule Pattern(JsonElement value, string at)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw new SchemaException($"{at} must be a regular expression");
        var pattern = value.GetString()!;
        var regex = Regexes.Compile(pattern, ignoreCase: false, whole: false, out var problem)
            ?? throw new SchemaException($"{at} {problem!.TrimEnd('.')}");
        return (element, path, check) =>
        {
            if (element.ValueKind == JsonValueKind.String && !regex.IsMatch(element.GetString()!))
                check.Fail(path, $"does not match {Quote.Short(pattern)}");
        };
    }

    static SchemaRule Format(JsonElement value, string at)
    {
        var name = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        Func<string, bool> fits = name switch
        {
            "date-time" => static text => text.Contains('T', StringComparison.OrdinalIgnoreCase) && IsTime(text, "yyyy-MM-dd'T'HH:mm:ss"),
            "date" => static text => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            "email" => static text => IsEmail(text),
            "uri" => static text => Uri.TryCreate(text, UriKind.Absolute, out _) && text.Contains(':'),
            "uuid" => static text => Guid.TryParseExact(text, "D", out _),
            "ipv4" => static text =>
                text.Count(c => c == '.') == 3 && IPAddress.TryParse(text, out var ip) && ip.AddressFamily == AddressFamily.InterNetwork,
            "ipv6" => static text => text.Contains(':') && !text.Contains('%') && !text.Contains('[') && IPAddress.TryParse(text, out _),
            _ => throw new SchemaException(
                $"{at} is not supported and would not be checked: use `pattern`, or one of `date-time`, `date`, `email`, `uri`, `uuid`, "
                    + "`ipv4` and `ipv6`"),
        };
        return (element, path, check) =>
        {
            if (element.ValueKind == JsonValueKind.String && !fits(element.GetString()!))
                check.Fail(path, $"is no valid {name}");
        };
    }

    /// <summary>RFC 3339: seconds, an optional fraction, and a zone.</summary>
    static bool IsTime(string text, string whole)
    {
        string[] fractions = ["", "'.'FFFFFFF"];
        var formats = fractions.SelectMany(fraction => new[] { $"{whole}{fraction}'Z'", $"{whole}{fraction}zzz" }).ToArray();
        return DateTimeOffset.TryParseExact(
            text.ToUpperInvariant(), formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);
    }

    static bool IsEmail(string text)
    {
        var at = text.LastIndexOf('@');
        return at > 0 && at < text.Length - 1 && !text.Any(c => char.IsWhiteSpace(c) || c is '<' or '>' or '(' or ')')
            && text[0] != '.' && text[at - 1] != '.' && !text.Contains("..", StringComparison.Ordinal);
    }
}
