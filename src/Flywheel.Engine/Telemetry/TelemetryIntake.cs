using Flywheel.Core.Evaluation;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Telemetry.Mapping;
using Flywheel.Engine.Telemetry.Otlp;
using Flywheel.Engine.Traces;

namespace Flywheel.Engine.Telemetry;

/// <summary>What of a request was not taken.</summary>
/// <param name="Message">Why the first was not; null when all were.</param>
public sealed record TakenIn(long Rejected, string? Message);

/// <summary>Takes spans and log records of OpenTelemetry into the loop.</summary>
public sealed class TelemetryIntake(
    SpanIntake intake, ISpanTextStore spanTexts, ISpanEvaluationStore spanEvaluations, PriceTable prices, WorkSignal work,
    TimeProvider clock)
{
    /// <summary>Maps and stores spans; when this returns, those not rejected are durable.</summary>
    /// <param name="mayLabel">The sender's key may label: what people said elsewhere are labels then, else proposals.</param>
    /// <exception cref="OverloadedException">Nothing was stored.</exception>
    public async Task<TakenIn> TracesAsync(ProjectId project, OtlpBatch<OtlpSpan> batch, CancellationToken ct, bool mayLabel = false)
    {
        var evaluations = new List<SpanEvaluation>();
        var (spans, sent) = (new List<NewSpan>(batch.Items.Count), new List<OtlpSpan>(batch.Items.Count));
        using (var mapper = new SpanMapper(prices))
            foreach (var item in batch.Items)
                try
                {
                    spans.Add(mapper.Map(item));
                    sent.Add(item);
                }
                catch (OtlpItemException e)
                {
                    batch.Reject($"Span {item.Trace}/{item.Id} {e.Message}");
                }

        var results = await intake.AddAsync(project, spans, ct).ConfigureAwait(false);
        for (var i = 0; i < results.Count; i++)
        {
            if (results[i].Refusal is { } refusal)
                batch.Reject($"Span {spans[i].Key}: {refusal.Message}");
            if (results[i].Outcome != SpanOutcome.Refused)
                evaluations.AddRange(Evaluations.Of(sent[i]));
        }
        // A sender that hears nothing sends both again; neither has a second effect.
        await spanEvaluations.AddAsync(project, evaluations, mayLabel, clock.GetUtcNow(), ct).ConfigureAwait(false);
        return new(batch.Rejected, batch.FirstProblem);
    }

    /// <summary>
    /// Keeps the log records that carry messages or evaluations of spans; others are no business of the loop and are taken without effect.
    /// </summary>
    public async Task<TakenIn> LogsAsync(ProjectId project, OtlpBatch<OtlpLog> batch, CancellationToken ct, bool mayLabel = false)
    {
        var texts = new List<SpanText>();
        var evaluations = new List<SpanEvaluation>();
        var now = clock.GetUtcNow();
        for (var i = 0; i < batch.Items.Count; i++)
        {
            var log = batch.Items[i];
            var name = log.EventName is { Length: > 0 } own ? own : Attribute(log, "event.name");
            if (Evaluations.IsName(name))
            {
                if (Evaluations.Of(log) is { } said)
                    evaluations.Add(said);
                else
                    batch.Reject("A `gen_ai.evaluation.result` cannot be kept: it needs `gen_ai.evaluation.name`, a score value, label or "
                        + "`error.type`, and the span's ids or `gen_ai.response.id`.");
                continue;
            }
            if (log.Trace is null || log.Span is null)
                continue;
            foreach (var text in EventTexts.Read(name, log.Body, log.Attributes))
            {
                var said = text.Place == TextPlace.Output ? Messages.Output(text.Messages) : Messages.Input(text.Messages);
                var json = Messages.Json(text.Messages);
                if (json.Length > SpanRules.MaxTextLength || (said is not null && SpanRules.Text(said) is not null))
                    batch.Reject($"The log record `{name}` of span {log.Trace}/{log.Span} holds a text that cannot be kept: over "
                        + $"{SpanRules.MaxTextLength:N0} characters, or not valid Unicode.");
                else
                    texts.Add(new(new(log.Trace, log.Span), text.Place, At(log, now), i, json, said,
                        text.Messages.Any(message => message.Role == "user")));
            }
        }
        await spanEvaluations.AddAsync(project, evaluations, mayLabel, now, ct).ConfigureAwait(false);
        if (texts.Count > 0)
        {
            await spanTexts.AddAsync(project, texts, now, ct).ConfigureAwait(false);
            work.Set();
        }
        return new(batch.Rejected, batch.FirstProblem);
    }

    static DateTimeOffset At(OtlpLog log, DateTimeOffset now) =>
        log.UnixNano is > 0 and < 4_102_444_800_000_000_000
            ? DateTimeOffset.UnixEpoch.AddTicks((long)(log.UnixNano / 1000) * TimeSpan.TicksPerMicrosecond) : now;

    static string? Attribute(OtlpLog log, string key)
    {
        foreach (var (name, value) in log.Attributes)
            if (name == key)
                return value.Text;
        return null;
    }
}
