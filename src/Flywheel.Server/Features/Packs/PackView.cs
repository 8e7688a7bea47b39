using System.Text.Json;
using Flywheel.Engine.Metrics;

namespace Flywheel.Server.Features.Packs;

public sealed record PackList(IReadOnlyList<PackView> Packs)
{
    public static PackList Of(IEnumerable<MetricPack> packs) => new([.. packs.Select(PackView.Of)]);
}

public sealed record PackView(string Name, string Summary, IReadOnlyList<PackMetricView> Metrics)
{
    public static PackView Of(MetricPack pack) => new(
        pack.Name, pack.Summary,
        [.. pack.Metrics.Select(each => new PackMetricView(each.Name, each.Metric.Criterion, each.Metric.Validator, each.Needs))]);
}

/// <param name="Needs">Settings that activation must be given, each with what it is; null when there are none.</param>
public sealed record PackMetricView(string Name, string Criterion, JsonElement Validator, IReadOnlyDictionary<string, string>? Needs);
