using System.Buffers;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>One server-sent event in a buffer.</summary>
/// <param name="Length">Bytes up to and with the empty line that ends it.</param>
/// <param name="Data">Where its data stands, relative to its start; absent for comments. Of several lines only whole ones are data.</param>
readonly record struct StreamEvent(int Length, JsonSlice Data, bool HasManyLines);

/// <summary>Finds events in bytes as they come.</summary>
static class EventStream
{
    /// <returns>False while the event has not ended.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out StreamEvent found)
    {
        JsonSlice data = default;
        var many = false;
        var at = 0;
        while (true)
        {
            var end = bytes[at..].IndexOf((byte)'\n');
            if (end < 0)
            {
                found = default;
                return false;
            }
            var line = bytes.Slice(at, end);
            if (line.Length > 0 && line[^1] == (byte)'\r')
                line = line[..^1];
            if (line.IsEmpty)
            {
                found = new StreamEvent(at + end + 1, data, many);
                return true;
            }
            if (line.StartsWith("data:"u8))
            {
                var skip = line.Length > 5 && line[5] == (byte)' ' ? 6 : 5;
                many |= data.IsPresent;
                data = new JsonSlice(at + skip, line.Length - skip);
            }
            at += end + 1;
        }
    }

    /// <summary>The data lines of an event put together by line breaks, as the standard wants.</summary>
    public static byte[] Join(ReadOnlySpan<byte> whole)
    {
        var joined = new ArrayBufferWriter<byte>(whole.Length);
        foreach (var range in whole.Split((byte)'\n'))
        {
            var line = whole[range];
            if (line.Length > 0 && line[^1] == (byte)'\r')
                line = line[..^1];
            if (!line.StartsWith("data:"u8))
                continue;
            if (joined.WrittenCount > 0)
                joined.Write("\n"u8);
            joined.Write(line[(line.Length > 5 && line[5] == (byte)' ' ? 6 : 5)..]);
        }
        return joined.WrittenSpan.ToArray();
    }
}
