using System.Text.Json;
using System.Text.RegularExpressions;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics.Schema;

/// <summary>Keywords about what is inside a value, and those that combine schemas.</summary>
static class StructureKeywords
{
    public static IReadOnlyList<string> Names { get; } =
    [
        "properties", "patternProperties", "additionalProperties", "propertyNames", "required", "minProperties", "maxProperties",
        "dependentRequired", "dependentSchemas", "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems",
        "contains",
        "minContains", "maxContains", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
    ];

    /// <param name="schema">The schema around the keyword; some keywords mean nothing without their neighbours.</param>
    /// <param name="outer">Pointer of that schema.</param>
    public static SchemaRule? Compile(SchemaCompiler compiler, JsonElement schema, JsonProperty keyword, string at, string outer)
    {
        var value = keyword.Value;
        return keyword.Name switch
        {
            "properties" => Properties(Schemas(compiler, value, at)),
            "patternProperties" => PatternProperties(Schemas(compiler, value, at), at),
            "additionalProperties" => AdditionalProperties(compiler.Compile(value, at), schema, outer),
            "propertyNames" => PropertyNames(compiler.Compile(value, at)),
            "required" => Required(Texts(value, at)),
            "minProperties" => Size(ValueKeywords.Count(value, at), JsonValueKind.Object, static (n, bound) => n >= bound, "fewer than"),
            "maxProperties" => Size(ValueKeywords.Count(value, at), JsonValueKind.Object, static (n, bound) => n <= bound, "more than"),
            "minItems" => Size(ValueKeywords.Count(value, at), JsonValueKind.Array, static (n, bound) => n >= bound, "fewer than"),
            "maxItems" => Size(ValueKeywords.Count(value, at), JsonValueKind.Array, static (n, bound) => n <= bound, "more than"),
            "dependentRequired" => DependentRequired(value, at),
            "dependentSchemas" => DependentSchemas(Schemas(compiler, value, at)),
            "prefixItems" => PrefixItems(List(compiler, value, at)),
            "items" when value.ValueKind == JsonValueKind.Array => PrefixItems(List(compiler, value, at)),
            "items" => Items(compiler.Compile(value, at), PrefixLength(schema, "prefixItems")),
            "additionalItems" => AdditionalItems(compiler.Compile(value, at), schema),
            "uniqueItems" => UniqueItems(value, at),
            "contains" => Contains(compiler.Compile(value, at), schema, outer),
            "minContains" or "maxContains" => Number(value, at),
            "allOf" => AllOf(List(compiler, value, at)),
            "anyOf" => AnyOf(List(compiler, value, at)),
            "oneOf" => OneOf(List(compiler, value, at)),
            "not" => Not(compiler.Compile(value, at)),
            "if" => If(compiler.Compile(value, at), Branch(compiler, schema, "then", outer), Branch(compiler, schema, "else", outer)),
            "then" or "else" => Nothing,
            _ => null,
        };
    }

    static void Nothing(JsonElement value, string path, SchemaCheck check)
    {
    }

    static SchemaRule Number(JsonElement value, string at)
    {
        ValueKeywords.Count(value, at);
        return Nothing;
    }

    static string Inside(string path, string name) =>
        path.Length == 0 ? name.Length <= 60 ? name : name[..60] + "…" : $"{path}.{(name.Length <= 60 ? name : name[..60] + "…")}";

    static Dictionary<string, SchemaRule> Schemas(SchemaCompiler compiler, JsonElement value, string at) =>
        value.ValueKind == JsonValueKind.Object
            ? value.EnumerateObject().ToDictionary(p => p.Name, p => compiler.Compile(p.Value, $"{at}/{p.Name}"), StringComparer.Ordinal)
            : throw new SchemaException($"{at} must be an object of schemas");

    static SchemaRule[] List(SchemaCompiler compiler, JsonElement value, string at) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0
            ? [.. value.EnumerateArray().Select((schema, i) => compiler.Compile(schema, $"{at}/{i}"))]
            : throw new SchemaException($"{at} must be a list of schemas, not empty");

    static string[] Texts(JsonElement value, string at) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(text => text.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(text => text.GetString()!)]
            : throw new SchemaException($"{at} must be a list of names");

    static SchemaRule Properties(Dictionary<string, SchemaRule> rules) => (value, path, check) =>
    {
        if (value.ValueKind != JsonValueKind.Object)
            return;
        foreach (var property in value.EnumerateObject())
            if (rules.TryGetValue(property.Name, out var rule))
                rule(property.Value, Inside(path, property.Name), check);
    };

    static SchemaRule PatternProperties(Dictionary<string, SchemaRule> rules, string at)
    {
        var compiled = rules.Select(pair => (Regex: Pattern(pair.Key, at), Rule: pair.Value)).ToArray();
        return (value, path, check) =>
        {
            if (value.ValueKind != JsonValueKind.Object)
                return;
            foreach (var property in value.EnumerateObject())
                foreach (var (regex, rule) in compiled)
                    if (regex.IsMatch(property.Name))
                        rule(property.Value, Inside(path, property.Name), check);
        };
    }

    static Regex Pattern(string pattern, string at) =>
        Regexes.Compile(pattern, ignoreCase: false, whole: false, out var problem)
        ?? throw new SchemaException($"{at}/{pattern} {problem!.TrimEnd('.')}");

    static SchemaRule AdditionalProperties(SchemaRule rule, JsonElement schema, string at)
    {
        var named = schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object
            ? properties.EnumerateObject().Select(property => property.Name).ToHashSet(StringComparer.Ordinal)
            : [];
        var patterns = schema.TryGetProperty("patternProperties", out var byPattern) && byPattern.ValueKind == JsonValueKind.Object
            ? byPattern.EnumerateObject().Select(property => Pattern(property.Name, at)).ToArray()
            : [];
        return (value, path, check) =>
        {
            if (value.ValueKind != JsonValueKind.Object)
                return;
            foreach (var property in value.EnumerateObject())
                if (!named.Contains(property.Name) && !patterns.Any(pattern => pattern.IsMatch(property.Name)))
                    rule(property.Value, Inside(path, property.Name), check);
        };
    }

    static SchemaRule PropertyNames(SchemaRule rule) => (value, path, check) =>
    {
        if (value.ValueKind != JsonValueKind.Object)
            return;
        foreach (var property in value.EnumerateObject())
            rule(JsonSerializer.SerializeToElement(property.Name), $"the name {Inside(path, property.Name)}", check);
    };

    static SchemaRule Required(string[] names) => (value, path, check) =>
    {
        if (value.ValueKind != JsonValueKind.Object)
            return;
        foreach (var name in names)
            if (!value.TryGetProperty(name, out _))
                check.Fail(Inside(path, name), "is missing");
    };

    static SchemaRule Size(int bound, JsonValueKind kind, Func<int, int, bool> fits, string what) => (value, path, check) =>
    {
        if (value.ValueKind != kind)
            return;
        var size = kind == JsonValueKind.Array ? value.GetArrayLength() : value.GetPropertyCount();
        if (!fits(size, bound))
            check.Fail(path, $"has {size} {(kind == JsonValueKind.Array ? "items" : "properties")}, {what} {bound}");
    };

    static SchemaRule DependentRequired(JsonElement value, string at)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw new SchemaException($"{at} must be an object of lists of names");
        var rules = value.EnumerateObject().Select(p => (p.Name, Rule: Required(Texts(p.Value, $"{at}/{p.Name}")))).ToArray();
        return (element, path, check) =>
        {
            foreach (var (name, rule) in rules)
                if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out _))
                    rule(element, path, check);
        };
    }

    static SchemaRule DependentSchemas(Dictionary<string, SchemaRule> rules) => (value, path, check) =>
    {
        foreach (var (name, rule) in rules)
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out _))
                rule(value, path, check);
    };

    static SchemaRule PrefixItems(SchemaRule[] rules) => (value, path, check) =>
    {
        if (value.ValueKind != JsonValueKind.Array)
            return;
        var index = 0;
        foreach (var item in value.EnumerateArray().Take(rules.Length))
            rules[index](item, $"{path}[{index++}]", check);
    };

    static int PrefixLength(JsonElement schema, string keyword) =>
        schema.TryGetProperty(keyword, out var prefix) && prefix.ValueKind == JsonValueKind.Array ? prefix.GetArrayLength() : 0;

    /// <summary>Of older drafts; means something only beside a list in <c>items</c>.</summary>
    static SchemaRule AdditionalItems(SchemaRule rule, JsonElement schema) =>
        PrefixLength(schema, "items") is > 0 and var prefix ? Items(rule, prefix) : Nothing;

    static SchemaRule Items(SchemaRule rule, int from) => (value, path, check) =>
    {
        if (value.ValueKind != JsonValueKind.Array)
            return;
        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (index >= from)
                rule(item, $"{path}[{index}]", check);
            index++;
        }
    };

    static SchemaRule UniqueItems(JsonElement value, string at)
    {
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            throw new SchemaException($"{at} must be true or false");
        if (value.ValueKind == JsonValueKind.False)
            return Nothing;
        return (element, path, check) =>
        {
            if (element.ValueKind != JsonValueKind.Array)
                return;
            var seen = new HashSet<JsonElement>(JsonEquality.Instance);
            var index = 0;
            foreach (var item in element.EnumerateArray())
            {
                if (!seen.Add(item))
                {
                    check.Fail($"{path}[{index}]", "stands in the list twice");
                    return;
                }
                index++;
            }
        };
    }

    static SchemaRule Contains(SchemaRule rule, JsonElement schema, string at)
    {
        var min = schema.TryGetProperty("minContains", out var least) ? ValueKeywords.Count(least, $"{at}/minContains") : 1;
        int? max = schema.TryGetProperty("maxContains", out var most) ? ValueKeywords.Count(most, $"{at}/maxContains") : null;
        return (value, path, check) =>
        {
            if (value.ValueKind != JsonValueKind.Array)
                return;
            var fitting = value.EnumerateArray().Count(item => check.Holds(() => rule(item, path, check)));
            if (fitting < min || fitting > max)
                check.Fail(path, $"has {fitting} items of the wanted kind, {(fitting < min ? $"fewer than {min}" : $"more than {max}")}");
        };
    }

    static SchemaRule AllOf(SchemaRule[] rules) => (value, path, check) =>
    {
        foreach (var rule in rules)
            rule(value, path, check);
    };

    static SchemaRule AnyOf(SchemaRule[] rules) => (value, path, check) =>
    {
        foreach (var rule in rules)
            if (check.Holds(() => rule(value, path, check)))
                return;
        check.Fail(path, $"fits none of the {rules.Length} alternatives");
    };

    static SchemaRule OneOf(SchemaRule[] rules) => (value, path, check) =>
    {
        var fitting = rules.Count(rule => check.Holds(() => rule(value, path, check)));
        if (fitting != 1)
            check.Fail(path, fitting == 0
                ? $"fits none of the {rules.Length} alternatives" : $"fits {fitting} alternatives instead of one");
    };

    static SchemaRule Not(SchemaRule rule) => (value, path, check) =>
    {
        if (check.Holds(() => rule(value, path, check)))
            check.Fail(path, "fits a schema that it must not fit");
    };

    static SchemaRule? Branch(SchemaCompiler compiler, JsonElement schema, string name, string at) =>
        schema.TryGetProperty(name, out var branch) ? compiler.Compile(branch, $"{at}/{name}") : null;

    static SchemaRule If(SchemaRule condition, SchemaRule? then, SchemaRule? otherwise) => (value, path, check) =>
        (check.Holds(() => condition(value, path, check)) ? then : otherwise)?.Invoke(value, path, check);
}
