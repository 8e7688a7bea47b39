using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Traces;

/// <param name="Outcomes">Of the newest verdict of each metric, by its name; those that are withheld are left out.</param>
public sealed record SpanHit(Span Span, IReadOnlyDictionary<string, Outcome> Outcomes);
