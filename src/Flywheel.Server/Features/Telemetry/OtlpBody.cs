using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Flywheel.Core;
using Flywheel.Server.Api;

namespace Flywheel.Server.Features.Telemetry;

/// <summary>A request's message in rented memory, unpacked; never more than <see cref="Body.MaxBytes"/> of it.</summary>
sealed class OtlpBody : IDisposable
{
    const int FirstSize = 64 * 1024;

    readonly OtlpLoad _load;
    byte[] _bytes;
    int _start, _end;

    OtlpBody(OtlpLoad load, int size)
    {
        load.Take(size);
        _load = load;
        _bytes = ArrayPool<byte>.Shared.Rent(size);
        Held = size;
    }

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(_start, _end - _start);

    int Held { get; set; }

    /// <summary>The body of an HTTP request, in gzip or plain.</summary>
    public static async Task<OtlpBody> OfHttpAsync(HttpRequest request, OtlpLoad load, CancellationToken ct)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        if (encoding is not ("" or "identity" or "gzip"))
            throw new RequestException(
                RequestErrorKind.UnsupportedFormat, "unsupported_encoding", $"The content encoding is `{encoding}`: send gzip, or none.");
        if (request.ContentLength > Body.MaxBytes)
            throw TooLarge();
        if (encoding != "gzip")
            return await ReadAsync(request.Body, load, (int)(request.ContentLength ?? FirstSize - 1) + 1, ct);
        await using var unpacked = new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true);
        return await UnpackAsync(unpacked, load, ct);
    }

    /// <summary>The one message of a unary gRPC call: a flag, its length, its bytes.</summary>
    public static async Task<OtlpBody> OfGrpcAsync(HttpRequest request, OtlpLoad load, CancellationToken ct)
    {
        const int frame = 5;
        var body = await ReadAsync(request.Body, load, FirstSize, ct);
        try
        {
            if (body._end < frame || BinaryPrimitives.ReadUInt32BigEndian(body._bytes.AsSpan(1)) != (uint)(body._end - frame))
                throw new RequestException(RequestErrorKind.Invalid, "malformed_frame", "The call does not hold exactly one gRPC message.");
            var packed = body._bytes[0] != 0;
            body._start = frame;
            if (!packed)
                return body;
            var encoding = request.Headers["grpc-encoding"].ToString();
            if (encoding != "gzip")
                throw new RequestException(
                    RequestErrorKind.UnsupportedFormat, "unsupported_encoding",
                    $"The message is packed with `{encoding}`: use gzip, or none.");
            using var stream = new MemoryStream(body._bytes, body._start, body._end - body._start, writable: false);
            await using var unpacked = new GZipStream(stream, CompressionMode.Decompress);
            var plain = await UnpackAsync(unpacked, load, ct);
            body.Dispose();
            return plain;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    static async Task<OtlpBody> UnpackAsync(GZipStream stream, OtlpLoad load, CancellationToken ct)
    {
        try
        {
            return await ReadAsync(stream, load, FirstSize, ct);
        }
        catch (InvalidDataException e)
        {
            throw new RequestException(RequestErrorKind.Invalid, "malformed_gzip", $"The body cannot be unpacked: {e.Message}");
        }
    }

    static async Task<OtlpBody> ReadAsync(Stream stream, OtlpLoad load, int size, CancellationToken ct)
    {
        var body = new OtlpBody(load, size);
        try
        {
            while (await stream.ReadAsync(body._bytes.AsMemory(body._end), ct) is var read and > 0)
            {
                body._end += read;
                // Counted as it is unpacked: a bomb is let go at the limit, not at its end.
                if (body._end > Body.MaxBytes)
                    throw TooLarge();
                if (body._end == body._bytes.Length)
                    body.Grow();
            }
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    void Grow()
    {
        var size = _bytes.Length * 2;
        _load.Take(size - Held);
        Held = size;
        var larger = ArrayPool<byte>.Shared.Rent(size);
        _bytes.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    static RequestException TooLarge() => new(RequestErrorKind.TooLarge, "body_too_large",
        $"The request is over {Body.MaxBytes / (1024 * 1024)} MB once unpacked: send fewer spans a request.");

    public void Dispose()
    {
        var bytes = Interlocked.Exchange(ref _bytes, []);
        if (bytes.Length == 0)
            return;
        ArrayPool<byte>.Shared.Return(bytes);
        _load.Give(Held);
    }
}
