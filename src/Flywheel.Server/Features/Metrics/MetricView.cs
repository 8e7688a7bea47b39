using System.Text.Json;
using Flywheel.Core.Metrics;

namespace Flywheel.Server.Features.Metrics;

public sealed record MetricView(
    string Name, int Version, string State, string Role, string Criterion, string Subject, IReadOnlyList<string>? Nodes,
    IReadOnlyList<string>? Kinds, double Sampling, JsonElement Validator, string Author, DateTimeOffset CreatedAt,
    string? OnFail, string? OnError, IReadOnlyList<string>? Segments, int LabelsPerItem)
{
    public static MetricView Of(Metric metric) => new(
        metric.Name, metric.Number, Wire.Name(metric.State), Wire.Name(metric.Role), metric.Criterion, Wire.Name(metric.Subject),
        metric.Nodes, metric.Kinds?.Select(Wire.Name).ToArray(), metric.Sampling, ValidatorJson.Write(metric.Validator), metric.Author,
        metric.CreatedAt, metric.OnFail is { } onFail ? Wire.Name(onFail) : null, metric.OnError is { } onError ? Wire.Name(onError) : null,
        metric.Segments, metric.LabelsPerItem);
}

public sealed record MetricList(IReadOnlyList<MetricView> Metrics)
{
    public static MetricList Of(IEnumerable<Metric> metrics) => new([.. metrics.Select(MetricView.Of)]);
}
