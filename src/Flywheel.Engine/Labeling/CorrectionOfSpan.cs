using Flywheel.Core.Labeling;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Labeling;

/// <param name="Demonstration">The one that the correction caused; null if it caused none.</param>
public sealed record CorrectionOfSpan(Correction Correction, SpanKey Span, Demonstration? Demonstration);
