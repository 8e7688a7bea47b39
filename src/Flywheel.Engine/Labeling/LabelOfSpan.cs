using Flywheel.Core.Labeling;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Labeling;

/// <param name="Metric">Name of the metric.</param>
public sealed record LabelOfSpan(Label Label, SpanKey Span, string Metric);
