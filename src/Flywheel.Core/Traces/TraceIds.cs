using System.Buffers.Binary;

namespace Flywheel.Core.Traces;

/// <summary>New ids in the form of W3C trace context.</summary>
public static class TraceIds
{
    const int TimeBytes = 6, TraceBytes = 16, SpanBytes = 8;

    /// <summary>32 hex digits: milliseconds since 1970 in the first 12, chance in the other 20.</summary>
    /// <remarks>
    /// Ids that rise with time reach a database's index at its end, page after page; of random ones each changes another page. The last
    /// 7 bytes are random, as trace context level 2 asks of ids that samplers may rely on.
    /// </remarks>
    public static string NewTrace(DateTimeOffset at)
    {
        Span<byte> id = stackalloc byte[TraceBytes];
        // Eight bytes, of which the two highest are zero until the year 10889: the id begins behind them.
        Span<byte> time = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(time, Math.Max(1, at.ToUnixTimeMilliseconds()));
        time[^TimeBytes..].CopyTo(id);
        Random.Shared.NextBytes(id[TimeBytes..]);
        return Convert.ToHexStringLower(id);
    }

    /// <summary>16 hex digits of chance, not all of them zero.</summary>
    public static string NewSpan()
    {
        Span<byte> id = stackalloc byte[SpanBytes];
        BinaryPrimitives.WriteInt64LittleEndian(id, Random.Shared.NextInt64(1, long.MaxValue));
        return Convert.ToHexStringLower(id);
    }
}
