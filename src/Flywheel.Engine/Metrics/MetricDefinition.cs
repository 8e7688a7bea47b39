using System.Text.Json;

namespace Flywheel.Engine.Metrics;

/// <summary>A metric as a caller words it; <see cref="MetricRules.Read"/> makes a <see cref="Core.Metrics.NewMetric"/> of it.</summary>
/// <param name="Validator">The kind with its settings: <c>{"kind": "length", "max": 400, "unit": "characters"}</c>.</param>
public sealed record MetricDefinition(string? Name, string Criterion, JsonElement Validator)
{
    /// <summary><c>output</c> or <c>input</c>; null for what the validator can check, outputs first.</summary>
    public string? Subject { get; init; }

    /// <summary>Names of nodes; null means all.</summary>
    public IReadOnlyList<string>? Nodes { get; init; }

    /// <summary>Kinds of nodes; null means all.</summary>
    public IReadOnlyList<string>? Kinds { get; init; }

    /// <summary>Share of applicable spans that are judged, 0 to 1; null means 1.</summary>
    public double? Sampling { get; init; }

    /// <summary><c>monitor</c> or <c>guard</c>; null means <c>monitor</c>.</summary>
    public string? Role { get; init; }

    /// <summary><c>active</c>, <c>proposed</c> or <c>retired</c>; null means <c>active</c>.</summary>
    public string? State { get; init; }

    /// <summary>The person who words it; null for the caller.</summary>
    public string? Author { get; init; }

    /// <summary>For a guard: <c>block</c>, <c>flag</c> or <c>redact</c>; null means <c>flag</c>.</summary>
    public string? OnFail { get; init; }

    /// <summary>For a guard that cannot check: <c>allow</c> or <c>block</c>; null means <c>allow</c>.</summary>
    public string? OnError { get; init; }

    /// <summary>Such as <c>tenant:acme</c>, <c>group:beta</c>, <c>user:42</c>; null means all.</summary>
    public IReadOnlyList<string>? Segments { get; init; }

    /// <summary>Number of people who are asked about one item of the review queue, 1 to 9; null means 1.</summary>
    public int? LabelsPerItem { get; init; }
}
