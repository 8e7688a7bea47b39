using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Traces;

/// <summary>A span with what validators and people said of it.</summary>
public sealed record SpanReading(
    Span Span, IReadOnlyList<Verdict> Verdicts, IReadOnlyList<Label> Labels, IReadOnlyList<Correction> Corrections);
