using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Calls;

/// <summary>Passes when a tool answered, in time, and neither the call nor the answer says that it failed.</summary>
sealed class ToolResultKind() : ValidatorKind(
    "tool.result", 1, "The tool answered in time, and neither the call nor the answer tells of a failure.",
    new("max_ms", "integer", "Longest duration of the span in milliseconds.", "no bound"),
    new("allow_empty", "true or false", "Accept an answer of white space, null, [] or {}.", "false"),
    new("allow_error", "true or false", "Accept calls that failed; they are then judged by their answer.", "false"),
    new("error_fields", "text or list of texts",
        "Fields of a JSON answer that tell of a failure when they are there and not null, false, 0 or empty.", "error, errors, isError"))
{
    static readonly string[] ErrorFields = ["error", "errors", "isError"];

    public override IReadOnlySet<MetricSubject> Subjects => OutputOnly;
    public override bool CanGuard => false;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var allowEmpty = read.Flag("allow_empty", false);
        var fields = read.Texts("error_fields") is { Count: > 0 } given ? given : ErrorFields;
        return new CallResult(version, read.Integer("max_ms", 1, 86_400_000), read.Flag("allow_error", false), text =>
        {
            var answer = CallResult.At(text, null);
            if (!allowEmpty && (string.IsNullOrWhiteSpace(text) || answer is { } empty && IsNothing(empty)
                && empty.ValueKind is not (JsonValueKind.Number or JsonValueKind.False)))
                return Finding.Fail("the answer is empty");
            foreach (var field in fields)
                if (CallResult.At(text, field) is { } value && !IsNothing(value))
                    return Finding.Fail($"the answer tells of a failure: `{field}` is {Quote.Short(value.ToString(), 120)}");
            return Finding.Pass();
        });
    }

    static bool IsNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False or JsonValueKind.Undefined => true,
        JsonValueKind.String => string.IsNullOrWhiteSpace(value.GetString()),
        JsonValueKind.Number => value.GetRawText() is "0",
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };
}
