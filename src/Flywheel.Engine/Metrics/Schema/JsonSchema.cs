using System.Text.Json;

namespace Flywheel.Engine.Metrics.Schema;

/// <summary>A JSON Schema (draft 2020-12), compiled once and used many times.</summary>
/// <remarks>
/// Ours, because a check must never be skipped silently: the package at hand ignored <c>const</c>, <c>if</c>, <c>prefixItems</c>,
/// <c>contains</c>, <c>dependentRequired</c>, <c>propertyNames</c> and misspelt types, and a nested repeat in <c>pattern</c> held it for
/// 22 s on 29 characters. Here a keyword is either honoured or refused when the metric is stored, patterns are linear in the text,
/// references stay inside the schema, and a check has a work limit.
/// Departures: <c>format</c> is checked (a few formats) or refused instead of being a comment, and <c>unevaluated…</c>,
/// <c>$dynamicRef</c> and anchors are refused.
/// </remarks>
public sealed class JsonSchema
{
    readonly SchemaRule _root;

    JsonSchema(SchemaRule root) => _root = root;

    /// <exception cref="SchemaException">A keyword is unknown, unsupported or has a wrong value.</exception>
    public static JsonSchema Compile(JsonElement schema) => new(new SchemaCompiler(schema).Root());

    /// <returns>The first errors, each beginning with the path of the value; empty when the value fits.</returns>
    /// <exception cref="SchemaException">The check needs too much work.</exception>
    public IReadOnlyList<string> Validate(JsonElement value, int maxErrors = 5)
    {
        var check = new SchemaCheck(maxErrors);
        _root(value, "", check);
        return check.Errors;
    }
}

/// <summary>Checks one value; <paramref name="path"/> is where it stands, <c>orders[2].total</c>, empty at the root.</summary>
delegate void SchemaRule(JsonElement value, string path, SchemaCheck check);
