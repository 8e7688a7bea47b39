using Flywheel.Core.Traces;

namespace Flywheel.Tests.Client;

public sealed class TraceIdTests
{
    [Fact]
    public void Trace_ids_rise_with_time_and_end_in_chance()
    {
        var first = new DateTimeOffset(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);
        string[] ids = [.. Enumerable.Range(0, 1_000).Select(i => TraceIds.NewTrace(first.AddMilliseconds(i)))];

        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.Equal(first.ToUnixTimeMilliseconds(), Convert.ToInt64(ids[0][..12], 16));
        Assert.Equal(1_000, ids.Select(id => id[18..]).Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[0-9a-f]{32}$", id));
        Assert.Equal(1_000, Enumerable.Range(0, 1_000).Select(_ => TraceIds.NewTrace(first)).Distinct().Count());
        Assert.Matches("^0{11}1[0-9a-f]{20}$", TraceIds.NewTrace(DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public void Span_ids_are_chance()
    {
        string[] ids = [.. Enumerable.Range(0, 1_000).Select(_ => TraceIds.NewSpan())];

        Assert.Equal(1_000, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^(?!0{16})[0-9a-f]{16}$", id));
    }
}
