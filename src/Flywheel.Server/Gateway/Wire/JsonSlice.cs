using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>Where a JSON value stands in a body's bytes; of length 0 when it is absent.</summary>
readonly record struct JsonSlice(int Start, int Length)
{
    public bool IsPresent => Length > 0;

    public int End => Start + Length;

    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> body) => body.Slice(Start, Length);

    /// <summary>The value that the reader stands on, which is read to its end.</summary>
    /// <param name="offset">Where the reader's bytes begin in the body.</param>
    public static JsonSlice Take(ref Utf8JsonReader json, int offset = 0)
    {
        var start = (int)json.TokenStartIndex;
        json.Skip();
        return new JsonSlice(offset + start, (int)json.BytesConsumed - start);
    }

    /// <summary>True for an absent value and for null.</summary>
    public bool IsNull(ReadOnlySpan<byte> body) => Length == 0 || Of(body)[0] == (byte)'n';

    public bool IsString(ReadOnlySpan<byte> body) => Length > 0 && Of(body)[0] == (byte)'"';

    public bool IsArray(ReadOnlySpan<byte> body) => Length > 0 && Of(body)[0] == (byte)'[';

    public bool IsObject(ReadOnlySpan<byte> body) => Length > 0 && Of(body)[0] == (byte)'{';
}
