
namespace Flywheel.Core.Metrics;

/// <summary>A validator that is a function of the text.</summary>
public sealed class TextValidator(string version, MetricSubject subject, Func<string, Examinee, Finding> check) : IValidator
{
    public string Version => version;

    public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) =>
        ValueTask.FromResult(examinee.Text is { } text ? check(text, examinee) : NothingToCheck(subject, examinee));

    public static Finding NothingToCheck(MetricSubject subject, Examinee examinee) =>
        Finding.Skipped(subject == MetricSubject.Output && examinee.Span?.Content.Error is not null
            ? "the span has no output: the call failed"
            : $"the span has no {Wire.Name(subject)}");
}
