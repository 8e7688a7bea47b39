namespace Flywheel.Core.Metrics;

public static class MetricSubjects
{
    /// <summary>Subjects that are validated span by span.</summary>
    public static IReadOnlyList<MetricSubject> OfSpans { get; } = [MetricSubject.Output, MetricSubject.Input];

    public static bool IsOfSpan(this MetricSubject subject) => subject is MetricSubject.Output or MetricSubject.Input;
}
