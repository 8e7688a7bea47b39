using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Jobs;

/// <param name="Span">Null if the span is gone.</param>
/// <param name="Metric">In the version that the job is for; null if it is gone.</param>
public sealed record JobEntry(Job Job, SpanKey? Span, Metric? Metric);
