using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics.Validators;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Engine.Metrics.Evaluators;

/// <summary>A validator of Flywheel as an evaluator, for unit tests.</summary>
/// <remarks>
/// Gives one <see cref="BooleanMetric"/>: true for pass, false for fail, null with a diagnostic for all else, so that what was not
/// decided is interpreted as failed. The texts of additional contexts are attributes by the contexts' names.
/// </remarks>
public sealed class FlywheelEvaluator : IEvaluator
{
    static readonly Lazy<ValidatorRegistry> BuiltIn = new(() => new ValidatorRegistry(TextKinds.All()));

    readonly string _name;
    readonly MetricSubject _subject;
    readonly IValidator _validator;

    /// <param name="kind">Such as <c>absent</c>.</param>
    /// <param name="settings">Anything that serialises to the settings' JSON; null for none.</param>
    /// <param name="name">Of the metric; null for the kind's.</param>
    /// <param name="criterion">What a judge is asked.</param>
    /// <param name="registry">Null for the built-in kinds that need no services.</param>
    /// <exception cref="ValidatorSettingsException">The kind is unknown, or its settings cannot work.</exception>
    public FlywheelEvaluator(
        string kind, object? settings = null, string? name = null, string criterion = "Is it right?",
        MetricSubject subject = MetricSubject.Output,
        ValidatorRegistry? registry = null)
    {
        _name = name ?? kind;
        _subject = subject;
        var spec = new ValidatorSpec(kind, JsonSerializer.SerializeToElement(settings ?? new JsonObject()));
        _validator = (registry ?? BuiltIn.Value).Create(spec, new(_name, criterion, subject));
    }

    public IReadOnlyCollection<string> EvaluationMetricNames => [_name];

    public async ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages, ChatResponse modelResponse, ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(modelResponse);
        var input = messages.LastOrDefault(message => message.Role == ChatRole.User)?.Text;
        var content = new NewSpan
        {
            Key = new("test", "test"), Node = "test", Kind = NodeKind.Other, StartedAt = DateTimeOffset.UnixEpoch,
            Input = input, Output = modelResponse.Text, Attributes = Attributes(additionalContext),
        };
        var finding = await _validator.CheckAsync(
            new(_subject == MetricSubject.Input ? input : modelResponse.Text, new Span(default, default, content, content.StartedAt),
                input), cancellationToken);
        return new EvaluationResult(Metric(finding));
    }

    BooleanMetric Metric(Finding finding)
    {
        bool? passed = finding.Outcome switch { Outcome.Pass => true, Outcome.Fail => false, _ => null };
        var rating = passed switch { true => EvaluationRating.Good, false => EvaluationRating.Unacceptable, null =>
            EvaluationRating.Inconclusive };
        var metric = new BooleanMetric(_name, passed, finding.Reason)
        {
            Interpretation = new EvaluationMetricInterpretation(rating, failed: passed != true, finding.Reason),
        };
        if (passed is null)
        {
            var said = $"{Wire.Name(finding.Outcome)}: {finding.Reason}";
            metric.Diagnostics = [finding.Outcome == Outcome.Error ? EvaluationDiagnostic.Error(said) : EvaluationDiagnostic.Warning(said)];
        }
        return metric;
    }

    static string? Attributes(IEnumerable<EvaluationContext>? contexts)
    {
        if (contexts is null)
            return null;
        var attributes = new JsonObject();
        foreach (var context in contexts)
            attributes[context.Name] = string.Concat(context.Contents.OfType<TextContent>().Select(each => each.Text));
        return attributes.Count == 0 ? null : attributes.ToJsonString();
    }
}
