namespace Flywheel.Core.Metrics;

/// <summary>One slice that was asked for.</summary>
/// <param name="Node">Null when all nodes are one slice.</param>
/// <param name="From">Start of the time bucket, UTC; null when all time is one.</param>
public sealed record RateSlice(string? Node, DateTimeOffset? From, TrueRates Rates);
