using System.Diagnostics.Metrics;

namespace Flywheel.Core.Observability;

/// <summary>The one meter of Flywheel and its instruments, for storage, engine and server. See docs/observability.md.</summary>
/// <remarks>Attributes are few and hold no project, node or text: figures of one process, over all projects.</remarks>
public static class FlywheelMeter
{
    public const string Name = "Flywheel";

    /// <summary>Attribute with the outcome: of a span, a verdict or a call.</summary>
    public const string Outcome = "flywheel.outcome";

    static readonly InstrumentAdvice<double> SecondsAdvice = new()
    {
        HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    public static Meter Meter { get; } = new(Name, typeof(FlywheelMeter).Assembly.GetName().Version?.ToString(3));

    public static Counter<long> Spans { get; } = Meter.CreateCounter<long>(
        "flywheel.intake.spans", "{span}", "Spans taken in, by outcome: stored, repeated, conflicting or refused.");

    public static Histogram<double> IntakeDuration { get; } = Seconds(
        "flywheel.intake.duration", "Time to check, redact and store a batch of spans durably.");

    public static Histogram<double> CommitDuration { get; } = Seconds(
        "flywheel.storage.commit.duration", "Time of a write transaction, its commit included; several callers may share one.");

    public static Counter<long> Verdicts { get; } = Meter.CreateCounter<long>(
        "flywheel.verdicts", "{verdict}", "Verdicts that workers recorded, by outcome and lane.");

    public static Gauge<long> QueueDepth { get; } = Meter.CreateGauge<long>(
        "flywheel.queue.depth", "{item}", "Work in the database, by state: unpaired (spans), waiting, leased or dead (jobs).");

    public static Gauge<double> QueueAge { get; } = Meter.CreateGauge<double>(
        "flywheel.queue.age", "s", "Age of the oldest job that waits; 0 when none does.");

    public static Histogram<double> RetrievalDuration { get; } = Seconds(
        "flywheel.retrieval.duration", "Time to find demonstrations for one prompt, by purpose: task or judge.");

    public static Counter<long> JudgeCalls { get; } = Meter.CreateCounter<long>(
        "flywheel.judge.calls", "{call}", "Calls of judge models, by outcome: answered, unreadable or failed.");

    public static Counter<double> JudgeCost { get; } = Meter.CreateCounter<double>(
        "flywheel.judge.cost", "USD", "US dollars that calls of judge models cost.");

    public static Histogram<double> JudgeDuration { get; } = Seconds("flywheel.judge.duration", "Time of one call of a judge model.");

    public static Histogram<double> GatewayDuration { get; } = Seconds(
        "flywheel.gateway.duration", "Time of a gateway call from the request to its record, by outcome: ok or error.");

    public static Histogram<double> GatewayOverhead { get; } = Seconds(
        "flywheel.gateway.overhead", "Time that the gateway adds to a call: before the provider is asked, and until the call is recorded.");

    static Histogram<double> Seconds(string name, string description) =>
        Meter.CreateHistogram(name, "s", description, tags: null, advice: SecondsAdvice);
}
