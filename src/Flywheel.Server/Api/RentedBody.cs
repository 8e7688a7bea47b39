using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Flywheel.Core;

namespace Flywheel.Server.Api;

/// <summary>
/// A request's body in rented memory: batches are megabytes, and fresh arrays of that size would keep the collector busy.
/// </summary>
sealed class RentedBody : IDisposable
{
    const int FirstSize = 16 * 1024;

    byte[] _bytes;
    int _length;

    RentedBody(int size) => _bytes = ArrayPool<byte>.Shared.Rent(size);

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, _length);

    /// <exception cref="RequestException">Empty, no JSON by its content type, or not UTF-8.</exception>
    /// <exception cref="BadHttpRequestException">Longer than <see cref="Body.MaxBytes"/>.</exception>
    public static async Task<RentedBody> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.ContentType is { Length: > 0 } type && !type.Contains("json", StringComparison.OrdinalIgnoreCase))
            throw new RequestException(
                RequestErrorKind.UnsupportedFormat, "unsupported_media_type", $"The content type is `{type}`: send `application/json`.");
        var announced = request.ContentLength ?? FirstSize;
        if (announced > Body.MaxBytes)
            throw new BadHttpRequestException("Request body too large.", 413);
        var body = new RentedBody((int)announced + 1);
        try
        {
            while (await request.Body.ReadAsync(body._bytes.AsMemory(body._length), ct) is var read and > 0)
            {
                body._length += read;
                if (body._length > Body.MaxBytes)
                    throw new BadHttpRequestException("Request body too large.", 413);
                if (body._length == body._bytes.Length)
                    body.Grow();
            }
            if (body._length == 0)
                throw new RequestException(RequestErrorKind.Invalid, "malformed_json", "The body is empty: send a JSON object.");
            if (!Utf8.IsValid(body.Memory.Span))
                throw new RequestException(RequestErrorKind.Invalid, "malformed_json", "The body is not valid UTF-8: encode it as UTF-8.");
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
        var larger = ArrayPool<byte>.Shared.Rent(_bytes.Length * 2);
        Memory.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    public void Dispose()
    {
        var bytes = Interlocked.Exchange(ref _bytes, []);
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
    }
}

/// <summary>A parsed body: the document stands on the memory.</summary>
sealed class ParsedBody(RentedBody bytes, JsonDocument document) : IDisposable
{
    public JsonElement RootElement => document.RootElement;

    public void Dispose()
    {
        document.Dispose();
        bytes.Dispose();
    }
}
