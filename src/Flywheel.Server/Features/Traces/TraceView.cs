using System.Text.Json;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Labeling;
using Flywheel.Engine.Traces;

namespace Flywheel.Server.Features.Traces;

/// <summary>One trace as people and tools read it: every span with what validators and people said of it.</summary>
/// <param name="Withheld">True when verdicts of judges and people's labels are left out, for whoever is to label blind.</param>
public sealed record TraceView(string TraceId, IReadOnlyList<SpanView> Spans, IReadOnlyList<FeedbackView> Feedback, bool Withheld)
{
    public static TraceView Of(TraceReading it, bool withheld) => new(
        it.TraceId, [.. it.Spans.Select(span => SpanView.Of(span, it.Metrics))], [.. it.Feedback.Select(FeedbackView.Of)], withheld);
}

public sealed record SpanView(
    string TraceId, string SpanId, string? ParentId, string Node, string Kind, string? Input, string? Output, string? Error,
    DateTimeOffset StartedAt, double DurationMs, string? Session, string? EndUser, string? Model, int? InputTokens, int? OutputTokens,
    double? CostUsd, JsonElement? Attributes, IReadOnlyList<Guid> Demonstrations, DateTimeOffset ReceivedAt,
    IReadOnlyList<VerdictView> Verdicts, IReadOnlyList<LabelView> Labels, IReadOnlyList<CorrectionView> Corrections)
{
    /// <param name="metrics">Names.</param>
    public static SpanView Of(SpanReading reading, IReadOnlyDictionary<MetricId, string> metrics)
    {
        var span = reading.Span;
        var it = span.Content;
        return new SpanView(
            it.Key.Trace, it.Key.Span, it.ParentId, it.Node, Wire.Name(it.Kind), it.Input, it.Output, it.Error, it.StartedAt, it.DurationMs,
            it.Session, it.EndUser, it.Model, it.InputTokens, it.OutputTokens, it.CostUsd,
            it.Attributes is null ? null : JsonSerializer.Deserialize<JsonElement>(it.Attributes), it.Demonstrations, span.ReceivedAt,
            [.. reading.Verdicts.Select(verdict => VerdictView.Of(verdict, metrics))],
            [.. reading.Labels.Select(label => LabelView.Of(label, span.Key, metrics))],
            [.. reading.Corrections.Select(correction => CorrectionView.Of(correction, span.Key))]);
    }
}

/// <param name="Confidence">Probability that a person would agree; null until calibrated.</param>
/// <param name="RawConfidence">As the judge gave it; null for none.</param>
/// <param name="Stands">Above the line from which the judge is promised to agree with people; null while there is no line.</param>
/// <param name="Judges">What each judge said, in order; null for what is no judge.</param>
public sealed record VerdictView(
    string Metric, string Outcome, double? Score, double? Confidence, string? Reason, double CostUsd, string? Model,
    string ValidatorVersion, IReadOnlyList<Guid> Demonstrations, DateTimeOffset At, IReadOnlyList<FoundSpanView>? Spans,
    double? RawConfidence, bool? Stands, IReadOnlyList<JudgeWordView>? Judges)
{
    public static VerdictView Of(Verdict verdict, IReadOnlyDictionary<MetricId, string> metrics) => new(
        metrics.GetValueOrDefault(verdict.Metric, "?"), Wire.Name(verdict.Finding.Outcome), verdict.Finding.Score,
        verdict.Finding.Confidence,
        verdict.Finding.Reason, verdict.Finding.CostUsd, verdict.Finding.Model, verdict.ValidatorVersion,
        verdict.Finding.Demonstrations ?? [], verdict.At, FoundSpanView.Of(verdict.Finding.Spans), verdict.Finding.RawConfidence,
        verdict.Finding.Stands,
        verdict.Finding.Trail is { } trail ? [.. trail.Words.Select(JudgeWordView.Of)] : null);
}

/// <param name="Model">By its configured name; null for the default one.</param>
/// <param name="Second">The second judge's confidence, below 0 where it disagreed; null when it was not asked.</param>
public sealed record JudgeWordView(string? Model, string Outcome, double? RawConfidence, double? Second)
{
    public static JudgeWordView Of(JudgeWord word) => new(word.Model, Wire.Name(word.Outcome), word.Confidence, word.Second);
}

/// <param name="Start">0-based, in UTF-16 code units of the span's text as it is stored.</param>
/// <param name="End">Position after it.</param>
public sealed record FoundSpanView(string Type, int Start, int End)
{
    public static IReadOnlyList<FoundSpanView>? Of(IReadOnlyList<FoundSpan>? spans) =>
        spans is null ? null : [.. spans.Select(span => new FoundSpanView(span.Type, span.Start, span.End))];
}

public sealed record LabelView(
    Guid Id, string TraceId, string SpanId, string Metric, bool Passed, string Mode, string? Critique, string Author, double? Propensity,
    DateTimeOffset CreatedAt, bool Adjudicates)
{
    public static LabelView Of(LabelOfSpan it) => Of(it.Label, it.Span, it.Metric);

    public static LabelView Of(Label label, SpanKey span, IReadOnlyDictionary<MetricId, string> metrics) =>
        Of(label, span, metrics.GetValueOrDefault(label.Metric, "?"));

    static LabelView Of(Label label, SpanKey span, string metric) => new(
        label.Id, span.Trace, span.Span, metric, label.Passed, Wire.Name(label.Mode), label.Critique, label.Author, label.Propensity,
        label.CreatedAt,
        label.Adjudicates);
}

public sealed record CorrectionView(
    Guid Id, string TraceId, string SpanId, string? WentWrong, string CorrectedOutput, string? Reasoning, string Author,
    DateTimeOffset CreatedAt)
{
    public static CorrectionView Of(Correction correction, SpanKey span) => new(
        correction.Id, span.Trace, span.Span, correction.WentWrong, correction.CorrectedOutput, correction.Reasoning, correction.Author,
        correction.CreatedAt);
}

public sealed record FeedbackView(
    Guid Id, string TraceId, string? SpanId, string Name, JsonElement Value, string? Comment, string? EndUser, DateTimeOffset CreatedAt,
    string? Session)
{
    public static FeedbackView Of(Feedback feedback) => new(
        feedback.Id, feedback.TraceId, feedback.SpanId, feedback.Name, JsonSerializer.Deserialize<JsonElement>(feedback.Value),
        feedback.Comment,
        feedback.EndUser, feedback.CreatedAt, feedback.Session);
}
