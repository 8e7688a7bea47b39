using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Guarding;

/// <summary>Takes what redacting guards find out of spans before they are stored, whatever door they came through.</summary>
/// <remarks>
/// A guard about inputs redacts the input, one about outputs the output; the error and the texts in the attributes, where
/// conversations are recorded, are redacted by both. What was found is kept as <see cref="GuardRecord"/>, without the text.
/// A guard that cannot check lets the text pass, or withholds it if its <c>on_error</c> is <c>block</c>.
/// </remarks>
public sealed class SpanRedaction(ActiveGuards guards, ValidatorRegistry registry) : ISpanFilter
{
    readonly ValidatorCache _validators = new(registry);

    public async ValueTask<IReadOnlyList<NewSpan>> BeforeStoringAsync(ProjectId project, IReadOnlyList<NewSpan> spans, CancellationToken ct)
    {
        Metric[] redacting = [.. (await guards.OfAsync(project, ct)).Where(metric => metric.OnFail == GuardAction.Redact)];
        if (redacting.Length == 0)
            return spans;
        var stored = new NewSpan[spans.Count];
        for (var i = 0; i < stored.Length; i++)
            stored[i] = await RedactAsync(project, spans[i], redacting, ct);
        return stored;
    }

    async ValueTask<NewSpan> RedactAsync(ProjectId project, NewSpan span, Metric[] redacting, CancellationToken ct)
    {
        Metric[] applicable =
        [
            .. redacting.Where(metric => Applicability.WhyNotAt(metric, span.Node, span.Kind) is null
                && InputGuard.IsAbout(metric, span.EndUser, span.Attributes) && _validators.WhyNot(metric, span.Kind) is null),
        ];
        if (applicable.Length == 0)
            return span;

        var found = new List<GuardFinding>();
        var whole = new Span(default, project, span, span.StartedAt);
        var input = await RedactAsync(span.Input, [.. applicable.Where(metric => metric.Subject == MetricSubject.Input)], whole, found, ct);
        var output = await RedactAsync(
            span.Output, [.. applicable.Where(metric => metric.Subject == MetricSubject.Output)], whole, found, ct);
        var error = await RedactAsync(span.Error, applicable, whole, null, ct);
        var attributes = await RedactAttributesAsync(span.Attributes, applicable, whole, ct);
        if (found.Count > 0)
            attributes = GuardRecord.With(attributes, found);
        return span with { Input = input, Output = output, Error = error, Attributes = attributes };
    }

    /// <param name="found">Where to put what was found, with positions in the redacted text; null when nobody asks.</param>
    async ValueTask<string?> RedactAsync(string? text, Metric[] metrics, Span span, List<GuardFinding>? found, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(text) || metrics.Length == 0)
            return text;
        var here = new List<GuardFinding>();
        foreach (var metric in metrics)
        {
            var decision = await DecideAsync(metric, text, span, ct);
            var finding = new GuardFinding(metric.Name, decision.Version, GuardAction.Redact, decision.Finding);
            if (decision.Finding.Outcome == Outcome.Error && metric.OnError == GuardFault.Block)
            {
                found?.Add(finding);
                return $"[withheld: {metric.Name} could not check this text]";
            }
            if (finding.Redacts.Count > 0)
                here.Add(finding);
        }
        if (here.Count == 0)
            return text;
        var redaction = new Redaction(text, here.SelectMany(finding => finding.Redacts));
        found?.AddRange(here.Select(finding => GuardRecord.Moved(finding, redaction)));
        return redaction.Text;
    }

    async ValueTask<string?> RedactAttributesAsync(string? attributes, Metric[] metrics, Span span, CancellationToken ct)
    {
        if (attributes is null)
            return null;
        // Checks in code end at once; the texts are gathered first so that an asynchronous one works too.
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        AttributeTexts.Change(attributes, GuardRecord.Attribute, text =>
        {
            texts.TryAdd(text, text);
            return text;
        });
        foreach (var text in texts.Keys.ToArray())
            texts[text] = (await RedactAsync(text, metrics, span, null, ct))!;
        return AttributeTexts.Change(attributes, GuardRecord.Attribute, text => texts.GetValueOrDefault(text, text));
    }

    async ValueTask<Decision> DecideAsync(Metric metric, string text, Span span, CancellationToken ct)
    {
        try
        {
            return await _validators.Get(metric).DecideAsync(new(text, span, span.Content.Input), ct);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            return new(Finding.Error(fault.Message), _validators.VersionOf(metric));
        }
    }
}
