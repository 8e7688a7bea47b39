using System.Text.Json;

namespace Flywheel.Engine.Labeling;

/// <summary>An outcome of the application itself, about a trace, a span, a session or an answer.</summary>
/// <param name="Value">Number, boolean or text.</param>
/// <param name="SpanId">With <paramref name="TraceId"/>; null for the whole trace.</param>
/// <param name="Session">In place of a trace: the whole conversation.</param>
/// <param name="ResponseId">In place of a trace: the id that the provider or the gateway gave the answer.</param>
/// <param name="Id">Makes a repeat harmless; null for a new id.</param>
public sealed record FeedbackRequest(
    string Name, JsonElement Value, string? TraceId = null, string? SpanId = null, string? Session = null, string? ResponseId = null,
    string? Comment = null, string? EndUser = null, Guid? Id = null);
