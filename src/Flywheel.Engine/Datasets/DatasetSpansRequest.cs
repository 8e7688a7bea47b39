using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Datasets;

/// <summary>Which spans become items, in a caller's words. All conditions must hold; null does not restrict.</summary>
/// <param name="Outcome">Outcome of the newest verdict of <paramref name="Metric"/>.</param>
/// <param name="Label"><c>pass</c> or <c>fail</c>: the newest human label of <paramref name="Metric"/>.</param>
/// <param name="Corrected">True: spans that a person corrected or confirmed; false: the others.</param>
/// <param name="Expected"><c>correction</c> (default), <c>output</c> or <c>none</c>.</param>
/// <param name="Sample">Draw <paramref name="Limit"/> spans evenly from all that match; otherwise the newest ones.</param>
public sealed record DatasetSpansRequest(
    string? Node = null, string? Kind = null, string? Metric = null, string? Outcome = null, string? Label = null, bool? Corrected = null,
    DateTimeOffset? Since = null, DateTimeOffset? Until = null, string? Session = null, string? EndUser = null, string? Feedback = null,
    JsonElement? FeedbackValue = null, string? Prompt = null, int? PromptVersion = null, bool Sample = false, long Seed = 0,
    int Limit = 1_000,
    string? Expected = null, string? Split = null, bool KeepOutput = false)
{
    /// <exception cref="RequestException">A condition cannot be meant; the message names it.</exception>
    internal SpanQuery Query()
    {
        var kind = Wire.Choice<NodeKind>("kind", Kind);
        var outcome = Wire.Choice<Outcome>("outcome", Outcome);
        var label = Label switch
        {
            null => (bool?)null,
            "pass" => true,
            "fail" => false,
            _ => throw RequestException.BadField("label", $"`label` is `{Label}`: use pass or fail."),
        };
        var expected = Wire.Choice<ExpectedFrom>("expected", Expected) ?? ExpectedFrom.Correction;
        if ((outcome is not null || label is not null) && Metric is null)
            throw RequestException.BadField("metric", "`metric` is missing: an `outcome` or a `label` is one of a metric.");
        if (Metric is not null && outcome is null && label is null)
            throw RequestException.BadField("metric", "`metric` asks for nothing by itself: give an `outcome` or a `label` too.");
        if (FeedbackValue is not null && Feedback is null)
            throw RequestException.BadField("feedback", "`feedback` is missing: a `feedback_value` is one of a name.");
        if (Limit is < 1 or > IDatasetStore.MaxItems)
            throw RequestException.BadField("limit", $"`limit` is {Limit}: use 1 to {IDatasetStore.MaxItems:N0}.");
        if (Since >= Until)
            throw RequestException.BadField("until", "`until` must be later than `since`.");
        return new(
            Node, kind, Metric, outcome, label, Corrected, Since, Until, Session, EndUser, Feedback, FeedbackValue?.GetRawText(), Prompt,
            PromptVersion,
            Sample, Seed, Limit, expected, Split, KeepOutput);
    }
}
