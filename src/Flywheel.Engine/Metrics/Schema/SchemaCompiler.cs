using System.Text.Json;
using Flywheel.Core;

namespace Flywheel.Engine.Metrics.Schema;

/// <summary>Turns a schema into rules, refusing what it does not understand.</summary>
sealed class SchemaCompiler(JsonElement document)
{
    /// <summary>Subschemas of one schema.</summary>
    const int MaxSchemas = 5_000;

    static readonly HashSet<string> Comments = new(StringComparer.Ordinal)
    {
        "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "deprecated", "readOnly",
        "writeOnly",
    };

    readonly Dictionary<string, Lazy<SchemaRule>> _byPointer = new(StringComparer.Ordinal);
    readonly Queue<Lazy<SchemaRule>> _referred = new();
    int _schemas;

    public SchemaRule Root()
    {
        var root = Compile(document, "#");
        while (_referred.TryDequeue(out var next))
            _ = next.Value;
        return root;
    }

    /// <param name="at">JSON pointer of the schema, for messages.</param>
    public SchemaRule Compile(JsonElement schema, string at)
    {
        if (++_schemas > MaxSchemas)
            throw new SchemaException($"the schema has more than {MaxSchemas} parts");
        switch (schema.ValueKind)
        {
            case JsonValueKind.True:
                return static (_, _, _) => { };
            case JsonValueKind.False:
                return static (_, path, check) => check.Fail(path, "is not allowed here");
            case not JsonValueKind.Object:
                throw new SchemaException($"{at} must be a schema: an object, true or false");
        }

        var rules = new List<SchemaRule>();
        foreach (var keyword in schema.EnumerateObject())
        {
            var place = $"{at}/{keyword.Name}";
            if (keyword.Name == "$ref")
                rules.Add(Refer(keyword.Value, place));
            else if (keyword.Name is "$id" && at != "#")
                throw new SchemaException($"{place} is not supported: refer to parts of the schema by pointers such as `#/$defs/item`");
            else if (!Comments.Contains(keyword.Name) && !keyword.Name.StartsWith("x-", StringComparison.Ordinal))
            {
                var rule = ValueKeywords.Compile(keyword, place)
                    ?? StructureKeywords.Compile(this, schema, keyword, place, at)
                    ?? throw Unknown(keyword.Name, at);
                rules.Add(rule);
            }
        }
        var all = rules.ToArray();
        return (value, path, check) =>
        {
            check.Enter();
            foreach (var rule in all)
                rule(value, path, check);
            check.Leave();
        };
    }

    SchemaRule Refer(JsonElement target, string at)
    {
        var pointer = target.ValueKind == JsonValueKind.String ? target.GetString()! : "";
        if (pointer != "#" && !pointer.StartsWith("#/", StringComparison.Ordinal))
            throw new SchemaException(
                $"{at} must point into this schema, such as `#/$defs/item`: other documents and anchors are never read");
        if (!_byPointer.TryGetValue(pointer, out var rule))
        {
            var found = Resolve(pointer) ?? throw new SchemaException($"{at} points to {pointer}, where the schema has nothing");
            rule = new Lazy<SchemaRule>(() => Compile(found, pointer));
            _byPointer.Add(pointer, rule);
            _referred.Enqueue(rule);
        }
        return (value, path, check) =>
        {
            check.Enter();
            rule.Value(value, path, check);
            check.Leave();
        };
    }

    JsonElement? Resolve(string pointer)
    {
        var at = document;
        foreach (var part in pointer.Split('/').Skip(1))
        {
            var name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal);
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(name, out var inner))
                at = inner;
            else if (at.ValueKind == JsonValueKind.Array && int.TryParse(name, out var index) && index >= 0 && index < at.GetArrayLength())
                at = at[index];
            else
                return null;
        }
        return at;
    }

    static SchemaException Unknown(string keyword, string at) => new(keyword switch
    {
        "dependencies" => $"{at}/dependencies is of an older draft: write `dependentRequired` or `dependentSchemas`",
        "id" => $"{at}/id is of an older draft: leave it out",
        "unevaluatedProperties" or "unevaluatedItems" or "$dynamicRef" or "$dynamicAnchor" or "$anchor" or "$recursiveRef" or "$vocabulary"
            or "contentEncoding" or "contentMediaType" or "contentSchema" =>
            $"{at}/{keyword} is not supported: it would not be checked",
        _ => $"{at}/{keyword} is no keyword of JSON Schema.{NearMiss.Hint(keyword, ValueKeywords.Names.Concat(StructureKeywords.Names))}",
    });
}
