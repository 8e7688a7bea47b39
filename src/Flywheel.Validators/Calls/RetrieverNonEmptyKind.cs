using System.Text.Json;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Calls;

/// <summary>Passes when a retriever found something, in time and without failure. Score: how many results.</summary>
/// <remarks>Results are the items of a JSON list; of an object the list at <c>path</c>, else its only list; any other text that is not
/// blank is one.</remarks>
sealed class RetrieverNonEmptyKind() : ValidatorKind("retriever.nonempty", 1, "The retriever found something, in time and without failure.",
    new("min", "integer", "Fewest results.", "1"),
    new("max", "integer", "Most results.", "no bound"),
    new("path", "text", "Where the list of results is in the JSON output, such as `documents`.", "the output, or its only list"),
    new("max_ms", "integer", "Longest duration of the span in milliseconds.", "no bound"))
{
    public override IReadOnlySet<MetricSubject> Subjects => OutputOnly;
    public override bool CanGuard => false;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var min = read.Integer("min", 0, 1_000_000) ?? 1;
        var max = read.Integer("max", 0, 1_000_000);
        if (max < min)
            throw read.Wrong("max", $"is less than `min` ({min}): nothing can pass.");
        var path = read.Text("path");
        return new CallResult(version, read.Integer("max_ms", 1, 86_400_000), allowsError: false, text =>
        {
            var (count, problem) = Count(text, path);
            return problem is not null ? Finding.Fail(problem, 0)
                : count < min ? Finding.Fail(count == 0 ? "nothing was found" : $"{count} results, fewer than {min}", count)
                : count > max ? Finding.Fail($"{count} results, more than {max}", count)
                : Finding.Pass(count);
        });
    }

    static (int Count, string? Problem) Count(string text, string? path)
    {
        if (string.IsNullOrWhiteSpace(text))
            return (0, null);
        if (path is not null)
            return CallResult.At(text, path) is { ValueKind: JsonValueKind.Array } list
                ? (list.GetArrayLength(), null) : (0, $"the output has no list at `{path}`");
        return CallResult.At(text, null) switch
        {
            { ValueKind: JsonValueKind.Array } items => (items.GetArrayLength(), null),
            { ValueKind: JsonValueKind.Null } => (0, null),
            { ValueKind: JsonValueKind.String } inner => (string.IsNullOrWhiteSpace(inner.GetString()) ? 0 : 1, null),
            { ValueKind: JsonValueKind.Object } whole =>
                whole.EnumerateObject().Where(property => property.Value.ValueKind == JsonValueKind.Array).Take(2).ToArray() is [var only]
                ? (only.Value.GetArrayLength(), null)
                : (whole.EnumerateObject().Any() ? 1 : 0, null),
            _ => (1, null),
        };
    }
}
