using System.Text.Json;

namespace Flywheel.Engine.Datasets;

/// <summary>An item as a caller describes it.</summary>
/// <param name="Expected">The right or reference output; null if none is known.</param>
/// <param name="Attributes">An object of everything else.</param>
/// <param name="TraceId">With <paramref name="SpanId"/> the span that it was made from; null for none.</param>
/// <param name="EndUser">The person whose words they are; erased with that person.</param>
public sealed record DatasetItemRequest(
    string Input, string? Expected = null, JsonElement? Attributes = null, string? Split = null, string? TraceId = null,
    string? SpanId = null,
    string? EndUser = null);
