using System.Text.Json;
using Flywheel.Engine.Metrics;

namespace Flywheel.Server.Features.Metrics;

/// <param name="Subject"><c>output</c> or <c>input</c>; left out, what the validator can check, outputs first.</param>
/// <param name="Nodes">Names of nodes; left out means all.</param>
/// <param name="Kinds">Kinds of nodes; left out means all.</param>
/// <param name="Sampling">Share of applicable spans that are judged, 0 to 1; 1 when left out.</param>
/// <param name="Validator">The kind with its settings: <c>{"kind": "length", "max": 400, "unit": "characters"}</c>.</param>
/// <param name="Role"><c>monitor</c> (default) or <c>guard</c>.</param>
/// <param name="OnFail">For a guard: <c>block</c>, <c>flag</c> (default) or <c>redact</c>.</param>
/// <param name="OnError">For a guard that cannot check: <c>allow</c> (default) or <c>block</c>.</param>
/// <param name="Segments">Segments that it is about, such as <c>tenant:acme</c>, <c>group:beta</c>, <c>user:42</c>; left out means
/// all.</param>
/// <param name="LabelsPerItem">How many people are asked about one item of the review queue, 1 to 9; 1 when left out.</param>
/// <param name="State"><c>active</c> (default), <c>proposed</c> or <c>retired</c>.</param>
public sealed record MetricBody(
    string? Name, string Criterion, JsonElement Validator, string? Subject = null, IReadOnlyList<string>? Nodes = null,
    IReadOnlyList<string>? Kinds = null, double? Sampling = null, string? Role = null, string? State = null, string? Author = null,
    string? OnFail = null, string? OnError = null, IReadOnlyList<string>? Segments = null, int? LabelsPerItem = null)
{
    public MetricDefinition Definition() => new(Name, Criterion, Validator)
    {
        Subject = Subject,
        Nodes = Nodes,
        Kinds = Kinds,
        Sampling = Sampling,
        Role = Role,
        State = State,
        Author = Author,
        OnFail = OnFail,
        OnError = OnError,
        Segments = Segments,
        LabelsPerItem = LabelsPerItem,
    };
}
