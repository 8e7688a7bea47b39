using System.Globalization;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Traces;
using Flywheel.Engine.Telemetry.Otlp;

namespace Flywheel.Engine.Telemetry.Mapping;

/// <summary>
/// Finds what evaluators and people said of spans: <c>gen_ai.evaluation.result</c> as event, log record or span, and OpenInference's
/// annotations.
/// </summary>
static class Evaluations
{
    const string Prefix = "gen_ai.evaluation.";

    public static bool IsName(string? name) => name is "gen_ai.evaluation.result" or "gen_ai.evaluation";

    /// <summary>Of a span: its events, its annotations, and itself when it is an evaluation of its parent.</summary>
    public static IEnumerable<SpanEvaluation> Of(OtlpSpan span)
    {
        var key = new SpanKey(span.Trace, span.Id);
        foreach (var one in span.Events)
            if (IsName(one.Name) && Read(
                key, span.Attributes, one.Attributes, span.Origin, At(one.UnixNano > 0 ? one.UnixNano : span.End)) is { } said)
                yield return said;
        if (IsName(span.Name) && span.Parent is { } parent
            && Read(new(span.Trace, parent), [], span.Attributes, span.Origin, At(span.End)) is { } itself)
            yield return itself;
        foreach (var annotation in Annotations(span, At(span.End)))
            yield return annotation;
    }

    /// <summary>Null when it has no name, or nothing that it could be about.</summary>
    public static SpanEvaluation? Of(OtlpLog log) => Read(
        log.Trace is { } trace && log.Span is { } span ? new(trace, span) : null, [],
        [.. log.Attributes, .. log.Body.Map], log.Origin, At(log.UnixNano));

    static SpanEvaluation? Read(
        SpanKey? key, IReadOnlyList<OtlpAttribute> around, IReadOnlyList<OtlpAttribute> attributes, OtlpOrigin origin, DateTimeOffset at)
    {
        string? name = null, label = null, explanation = null, error = null, author = null, response = null, evaluator = null;
        double? score = null;
        var source = EvaluationSource.Unknown;
        var blind = false;
        foreach (var (attribute, value) in attributes)
            switch (attribute)
            {
                case Prefix + "name": name = Text(value); break;
                case Prefix + "score.value" or Prefix + "score": score = ValueJson.Number(value); break;
                case Prefix + "score.label": label = Text(value); break;
                case Prefix + "explanation" or "gen_ai.evaluation.reasoning": explanation = Text(value); break;
                case "error.type": error = Text(value); break;
                case "gen_ai.response.id": response = Text(value); break;
                case "flywheel.evaluation.source" or "annotator_kind"
                    or "openinference.annotator_kind": source = Source(Text(value)); break;
                case "flywheel.evaluation.author" or "annotator.id": author = Text(value); break;
                case "flywheel.evaluation.blind": blind = value.Kind == OtlpKind.Bool ? value.Bool : Text(value) == "true"; break;
                case "flywheel.validator_version" or "gen_ai.evaluation.evaluator.name": evaluator = Text(value); break;
                default: break;
            }
        // The span that it was said in is the judged one when it has this answer.
        if (response is not null && around.Any(each => each.Key == "gen_ai.response.id" && each.Value.Text == response))
            response = null;
        return Make(key, response, name, source, score, label, explanation, error, author, evaluator ?? Library(origin), blind, at);
    }

    /// <summary><c>annotations.0.annotation.name</c> and <c>evaluations.0.evaluation.name</c>, the second word left out or not.</summary>
    static IEnumerable<SpanEvaluation> Annotations(OtlpSpan span, DateTimeOffset at)
    {
        SortedDictionary<(string, int), Dictionary<string, OtlpValue>>? found = null;
        foreach (var (key, value) in span.Attributes)
        {
            if (!key.StartsWith("annotations.", StringComparison.Ordinal) && !key.StartsWith("evaluations.", StringComparison.Ordinal))
                continue;
            var parts = key.Split('.');
            if (parts.Length is not (3 or 4) || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                || (parts.Length == 4 && parts[2] is not ("annotation" or "evaluation")))
                continue;
            found ??= [];
            if (!found.TryGetValue((parts[0], index), out var fields))
                found[(parts[0], index)] = fields = new(StringComparer.Ordinal);
            fields[parts[^1]] = value;
        }
        if (found is null)
            yield break;
        foreach (var fields in found.Values)
        {
            string? Of(string field) => fields.TryGetValue(field, out var value) ? Text(value) : null;
            if (Make(
                new(span.Trace, span.Id), null, Of("name"), Source(Of("annotator_kind")),
                fields.TryGetValue("score", out var score) ? ValueJson.Number(score) : null,
                Of("label"), Of("explanation"), null, Of("author"), Of("identifier") ?? Library(span.Origin), Of("blind") == "true", at)
                    is { } made)
                yield return made;
        }
    }

    static SpanEvaluation? Make(
        SpanKey? key, string? response, string? name, EvaluationSource source, double? score, string? label, string? explanation,
        string? error,
        string? author, string evaluator, bool blind, DateTimeOffset at)
    {
        if (SpanRules.Name(name, SpanRules.MaxNameLength) is not null || (key is null && response is null)
            || (score is null && label is null && error is null)
            || new[] { label, explanation, error }.Any(text => text is not null && SpanRules.Text(text) is not null))
            return null;
        return new(
            key, Usable(response), name!, source, score is { } number && double.IsFinite(number) ? number : null, label, explanation, error,
            Usable(author),
            Usable(evaluator) ?? "unnamed", blind, at);
    }

    static EvaluationSource Source(string? word) => word?.ToUpperInvariant() switch
    {
        "HUMAN" => EvaluationSource.Human,
        "LLM" or "MODEL" => EvaluationSource.Model,
        "CODE" => EvaluationSource.Code,
        _ => EvaluationSource.Unknown,
    };

    static string Library(OtlpOrigin origin) =>
        origin.Scope is not { Length: > 0 } scope ? "unnamed" : origin.ScopeVersion is { Length: > 0 } version
            ? $"{scope}@{version}" : scope;

    static string? Text(OtlpValue value) =>
        value.Kind == OtlpKind.Empty ? null : ValueJson.Text(value) is { Length: > 0 } text ? text : null;

    static string? Usable(string? name) => name is not null && SpanRules.Name(name, SpanRules.MaxNameLength) is null ? name : null;

    /// <summary>The epoch where no time was sent: so a repeat is the same.</summary>
    static DateTimeOffset At(ulong unixNano) =>
        unixNano is > 0 and < 4_102_444_800_000_000_000
            ? DateTimeOffset.UnixEpoch.AddTicks((long)(unixNano / 1000) * TimeSpan.TicksPerMicrosecond) : DateTimeOffset.UnixEpoch;
}
