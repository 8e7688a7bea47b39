using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

/// <summary>What a validator is given.</summary>
/// <param name="Text">The subject's text: the span's input or output; null when the span has none.</param>
/// <param name="Span">The span around it; null when a plain text is checked (files, guards before the call).</param>
/// <param name="Input">What was asked, when an output is checked without a span; null when unknown.</param>
public sealed record Examinee(string? Text, Span? Span, string? Input = null);
