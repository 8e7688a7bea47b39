using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Packs;

namespace Flywheel.Server.Features.Packs;

/// <param name="Nodes">Names of nodes; left out means all nodes of the pack's kind.</param>
/// <param name="Settings">Settings by metric: <c>{"classifier.known": {"values": ["a", "b"]}}</c>.</param>
/// <param name="Only">Names of metrics; left out means all of the pack.</param>
/// <param name="Judges">Also switch on metrics that ask a model, and cost money.</param>
public sealed record ActivateBody(
    IReadOnlyList<string>? Nodes = null, IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>>? Settings = null,
    IReadOnlyList<string>? Only = null, bool Judges = false, string? Author = null);

public sealed record PackActivated(string Pack, IReadOnlyList<ActivatedMetricView> Metrics)
{
    public static PackActivated Of(string pack, IEnumerable<ActivatedMetric> metrics) =>
        new(pack, [.. metrics.Select(ActivatedMetricView.Of)]);
}

/// <param name="Result"><c>activated</c>, <c>unchanged</c>, <c>changed</c> (more nodes), <c>kept</c> (yours differs) or
/// <c>left_out</c>.</param>
/// <param name="Reason">Why it was kept or left out, and what to do; null otherwise.</param>
public sealed record ActivatedMetricView(string Name, string Result, string? Reason)
{
    public static ActivatedMetricView Of(ActivatedMetric it) => new(
        it.Name, it.Result == ActivationResult.LeftOut ? "left_out" : Wire.Name(it.Result), it.Reason);
}
