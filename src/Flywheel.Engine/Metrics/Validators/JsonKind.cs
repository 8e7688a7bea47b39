using System.Text.Json;
using System.Text.RegularExpressions;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics.Schema;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when the text is strict JSON and fits a schema. Score: errors of the schema, counted up to 6.</summary>
sealed class JsonKind() : ValidatorKind("json", 1, "The text is valid JSON and, when a schema is given, fits it.",
    new("schema", "object", "JSON Schema (draft 2020-12).", "any JSON value"),
    new("allow_fence", "true or false", "Accept a text that is one Markdown code block as a whole, marked `json` or not at all.", "false"))
{
    const int MaxErrors = 5;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var schema = Schema(read);
        var allowFence = read.Flag("allow_fence", false);

        return new TextValidator(version, context.Subject, (text, _) =>
        {
            var body = allowFence ? StrictJson.Unfence(text) ?? text : text;
            if (StrictJson.Parse(body, out var problem) is not { } value)
            {
                var hint = !allowFence && StrictJson.Unfence(text) is not null ? "; it is inside a code block (see `allow_fence`)" : "";
                return Finding.Fail($"not JSON: {problem}{hint}");
            }
            return schema is null ? Finding.Pass() : Fits(schema, value);
        });
    }

    static Finding Fits(JsonSchema schema, JsonElement value)
    {
        try
        {
            var errors = schema.Validate(value, MaxErrors + 1);
            return errors.Count == 0
                ? Finding.Pass(0)
                : Finding.Fail(string.Join("; ", errors.Take(MaxErrors)) + (errors.Count > MaxErrors ? "; and more" : ""), errors.Count);
        }
        catch (SchemaException error)
        {
            return Finding.Error(error.Message);
        }
        catch (RegexMatchTimeoutException)
        {
            return Finding.Error("a pattern of the schema took too long on this text");
        }
    }

    static JsonSchema? Schema(ValidatorSettings read)
    {
        if (read.Json("schema") is not { } schema)
            return null;
        try
        {
            return JsonSchema.Compile(schema);
        }
        catch (SchemaException error)
        {
            throw read.Wrong("schema", $"cannot be used: {error.Message}.");
        }
        catch (InvalidOperationException)
        {
            throw read.Wrong("schema", "holds half of a surrogate pair, which is no valid Unicode: repair the text.");
        }
    }
}
