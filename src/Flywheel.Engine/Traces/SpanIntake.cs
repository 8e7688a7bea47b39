using Flywheel.Core.Metrics;
using Flywheel.Core.Observability;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Traces;

/// <summary>
/// The one way in for spans: checks, redacts, stores, says what became of each and wakes the worker. REST, OTLP, the gateway, import and
/// the embedded loop all use it.
/// </summary>
public sealed class SpanIntake(ISpanWriter writer, ISpanStore stored, ISpanFilter filter, WorkSignal work, TimeProvider clock)
{
    static readonly KeyValuePair<string, object?>[] Outcomes =
        [.. Enum.GetValues<SpanOutcome>().Select(outcome => KeyValuePair.Create(FlywheelMeter.Outcome, (object?)Wire.Name(outcome)))];

    /// <summary>Takes spans in; when this returns, those that were kept are durable together with the work they cause.</summary>
    /// <returns>One result per span, in the order given.</returns>
    /// <exception cref="OverloadedException">Nothing was stored.</exception>
    public async Task<IReadOnlyList<SpanIntakeResult>> AddAsync(ProjectId project, IReadOnlyList<NewSpan> spans, CancellationToken ct)
    {
        if (spans.Count == 0)
            return [];
        using var activity = FlywheelActivities.Source.StartActivity("flywheel.intake");
        activity?.SetTag("flywheel.spans", spans.Count);
        var started = clock.GetTimestamp();
        var now = clock.GetUtcNow();
        var admitted = await AdmittedSpans.AdmitAsync(project, spans, filter, now, ct).ConfigureAwait(false);
        IReadOnlyList<SpanInsertResult> inserted = [];
        if (admitted.Spans.Count > 0)
        {
            inserted = await writer.AddAsync(admitted, now, ct).ConfigureAwait(false);
            work.Set();
        }

        var results = new SpanIntakeResult[spans.Count];
        for (int i = 0, next = 0; i < results.Length; i++)
            results[i] = admitted.Refusals?[i] is { } refusal
                ? new(SpanOutcome.Refused, refusal)
                : inserted[next] == SpanInsertResult.Conflicting
                    ? await AgainAsync(project, admitted.Spans[next++], ct).ConfigureAwait(false)
                    : new(inserted[next++] == SpanInsertResult.Stored ? SpanOutcome.Stored : SpanOutcome.Repeated, null);
        Count(results, started);
        return results;
    }

    void Count(SpanIntakeResult[] results, long started)
    {
        FlywheelMeter.IntakeDuration.Record(clock.GetElapsedTime(started).TotalSeconds);
        Span<int> counts = stackalloc int[Outcomes.Length];
        foreach (var result in results)
            counts[(int)result.Outcome]++;
        for (var i = 0; i < counts.Length; i++)
            if (counts[i] > 0)
                FlywheelMeter.Spans.Add(counts[i], Outcomes[i]);
    }

    /// <summary>The first half only, for rows that are written with others in one transaction: checks and redacts.</summary>
    public ValueTask<AdmittedSpans> AdmitAsync(ProjectId project, IReadOnlyList<NewSpan> spans, CancellationToken ct) =>
        AdmittedSpans.AdmitAsync(project, spans, filter, clock.GetUtcNow(), ct);

    /// <summary>A span whose text came as logs looks different from the one that its sender repeats.</summary>
    async Task<SpanIntakeResult> AgainAsync(ProjectId project, NewSpan arriving, CancellationToken ct)
    {
        var first = await stored.FindAsync(project, arriving.Key, ct).ConfigureAwait(false);
        return first is not null && LateText.IsSameBeside(first.Content, arriving)
            ? new(SpanOutcome.Repeated, null)
            : new(SpanOutcome.Conflicting, SpanRefusal.Conflict(arriving.Key));
    }
}
