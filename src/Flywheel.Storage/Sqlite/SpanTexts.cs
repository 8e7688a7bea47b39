using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Sqlite;

/// <summary>The texts of a batch in UTF-8, made on the caller's thread so that the writer copies nothing.</summary>
internal sealed class SpanTexts : IDisposable
{
    public const int PerSpan = 15;

    /// <summary>Longer texts are hardly ever those of the row before; looking would cost more than it saves.</summary>
    const int WorthComparing = 64;

    /// <summary>Bytes of UTF-8 that one character may take.</summary>
    const int MaxBytes = 3;

    readonly int[] ends;
    readonly SpanMarks[] marks;
    byte[] utf8;
    GCHandle pin;

    public SpanTexts(IReadOnlyList<NewSpan> spans)
    {
        ends = new int[spans.Count * PerSpan + 1];
        marks = new SpanMarks[spans.Count];
        var characters = 0;
        foreach (var span in spans)
            characters += (span.Input?.Length ?? 0) + (span.Output?.Length ?? 0) + (span.Attributes?.Length ?? 0) + 256;
        // A batch is a megabyte; fresh arrays of that size would keep the collector busy.
        utf8 = ArrayPool<byte>.Shared.Rent(characters + characters / 8);
        var at = 0;
        for (var i = 0; i < spans.Count; i++)
        {
            marks[i] = SpanMarks.Of(spans[i].Attributes);
            for (var column = 0; column < PerSpan; column++)
            {
                // The sign marks a null; the offset stays readable for the next one.
                if (Text(spans[i], marks[i], column) is not { } text)
                {
                    ends[i * PerSpan + column + 1] = ~at;
                    continue;
                }
                if (utf8.Length - at < text.Length * MaxBytes)
                    Grow(at, text.Length * MaxBytes);
                at += Encoding.UTF8.GetBytes(text, utf8.AsSpan(at));
                ends[i * PerSpan + column + 1] = at;
            }
        }
        pin = GCHandle.Alloc(utf8, GCHandleType.Pinned);
    }

    /// <returns>Null for a missing text. Stays where it is until this is disposed.</returns>
    public unsafe byte* Get(int span, int column, out int length)
    {
        var (start, end) = At(span, column);
        length = end - start;
        return end < 0 ? null : (byte*)pin.AddrOfPinnedObject() + start;
    }

    /// <summary>Whether a short text is that of the row before, which is there too.</summary>
    public bool IsAsBefore(int span, int column)
    {
        var (start, end) = At(span, column);
        if (end - start > WorthComparing)
            return false;
        var (startBefore, endBefore) = At(span - 1, column);
        return endBefore >= 0 && utf8.AsSpan(start, end - start).SequenceEqual(utf8.AsSpan(startBefore, endBefore - startBefore));
    }

    public SpanMarks MarksOf(int span) => marks[span];

    public void Dispose()
    {
        pin.Free();
        ArrayPool<byte>.Shared.Return(utf8);
    }

    /// <returns>A negative end marks a null.</returns>
    (int Start, int End) At(int span, int column)
    {
        int start = ends[span * PerSpan + column], end = ends[span * PerSpan + column + 1];
        return (start < 0 ? ~start : start, end);
    }

    void Grow(int used, int more)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(utf8.Length * 2, used + more));
        utf8.AsSpan(0, used).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(utf8);
        utf8 = larger;
    }

    static string? Text(NewSpan span, in SpanMarks marks, int column) => column switch
    {
        0 => span.Key.Trace,
        1 => span.Key.Span,
        2 => span.ParentId,
        3 => span.Node,
        4 => Wire.Name(span.Kind),
        5 => span.Session,
        6 => span.EndUser,
        7 => span.Model,
        8 => span.Error,
        9 => Rows.Json(span.Demonstrations),
        10 => span.Input,
        11 => span.Output,
        12 => span.Attributes,
        13 => marks.ResponseId,
        _ => marks.Prompt,
    };
}
