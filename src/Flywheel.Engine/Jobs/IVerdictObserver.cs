using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Jobs;

/// <summary>Looks at a judge's verdict once it is recorded. What it throws is reported and changes nothing.</summary>
public interface IVerdictObserver
{
    Task ObserveAsync(Metric metric, Span span, Verdict verdict, IValidator validator, CancellationToken ct);
}
