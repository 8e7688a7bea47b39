using System.Buffers.Binary;

namespace Flywheel.Core.Sandboxing;

/// <summary>Messages on a pipe: four bytes of length, little-endian, then as many bytes of JSON.</summary>
public static class Frames
{
    public static async ValueTask WriteAsync(Stream pipe, byte[] message, CancellationToken ct)
    {
        var frame = new byte[4 + message.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, message.Length);
        message.CopyTo(frame, 4);
        await pipe.WriteAsync(frame, ct);
        await pipe.FlushAsync(ct);
    }

    /// <returns>Null when the pipe ended before a whole message.</returns>
    /// <exception cref="InvalidDataException">The message claims to be longer than <paramref name="limit"/> bytes.</exception>
    public static async ValueTask<byte[]?> ReadAsync(Stream pipe, int limit, CancellationToken ct)
    {
        var head = new byte[4];
        if (await pipe.ReadAtLeastAsync(head, 4, throwOnEndOfStream: false, ct) < 4)
            return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length < 0 || length > limit)
            throw new InvalidDataException($"A message of {length} bytes; the limit is {limit}.");
        var message = new byte[length];
        return await pipe.ReadAtLeastAsync(message, length, throwOnEndOfStream: false, ct) < length ? null : message;
    }
}
