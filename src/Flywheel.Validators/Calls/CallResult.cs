using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Calls;

/// <summary>
/// A check of a call as a whole: it did not fail, was quick enough, and brought what it should. Decides without a text, too.
/// </summary>
sealed class CallResult(string version, int? milliseconds, bool allowsError, Func<string, Finding> check) : IValidator
{
    public string Version => version;

    public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => ValueTask.FromResult(Check(examinee));

    Finding Check(Examinee examinee)
    {
        if (!allowsError && examinee.Span?.Content.Error is { } error)
            return Finding.Fail($"the call failed: {Quote.Short(error, 120)}");
        if (milliseconds is { } most && examinee.Span?.Content.DurationMs is { } took && took > most)
            return Finding.Fail(string.Create(CultureInfo.InvariantCulture, $"it took {took:0} ms, more than {most}"), took);
        return examinee.Text is { } text ? check(text) : TextValidator.NothingToCheck(MetricSubject.Output, examinee);
    }

    /// <summary>A value inside the text when it is JSON; null when it is none, or nothing is there.</summary>
    public static JsonElement? At(string text, string? path) =>
        path is null ? StrictJson.Parse(text, out _) : AttributeText.ElementAt(text, path);
}
