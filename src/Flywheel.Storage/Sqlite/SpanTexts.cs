using System.Buffers;
using System.Text;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Sqlite;

/// <summary>The texts of a batch in UTF-8, made on the caller's thread so that the writer only copies.</summary>
internal sealed class SpanTexts : IDisposable
{
    public const int PerSpan = 15;

    readonly byte[] utf8;
    readonly int[] ends;
    readonly SpanMarks[] marks;

    public SpanTexts(IReadOnlyList<NewSpan> spans)
    {
        ends = new int[spans.Count * PerSpan + 1];
        marks = new SpanMarks[spans.Count];
        var size = 0;
        for (var i = 0; i < spans.Count; i++)
        {
            marks[i] = SpanMarks.Of(spans[i].Attributes);
            for (var column = 0; column < PerSpan; column++)
                size += Text(spans[i], marks[i], column) is { } text ? Encoding.UTF8.GetByteCount(text) : 0;
        }
        // A batch is a megabyte; fresh arrays of that size would keep the collector busy.
        utf8 = ArrayPool<byte>.Shared.Rent(size);
        var at = 0;
        for (var i = 0; i < spans.Count; i++)
            for (var column = 0; column < PerSpan; column++)
            {
                // The sign marks a null; the offset stays readable for the next one.
                var text = Text(spans[i], marks[i], column);
                at += text is null ? 0 : Encoding.UTF8.GetBytes(text, utf8.AsSpan(at));
                ends[i * PerSpan + column + 1] = text is null ? ~at : at;
            }
    }

    /// <param name="isNull">Tells a missing text from an empty one.</param>
    public ReadOnlySpan<byte> Get(int span, int column, out bool isNull)
    {
        int start = ends[span * PerSpan + column], end = ends[span * PerSpan + column + 1];
        isNull = end < 0;
        start = start < 0 ? ~start : start;
        return isNull ? default : utf8.AsSpan(start, end - start);
    }

    public SpanMarks MarksOf(int span) => marks[span];

    public void Dispose() => ArrayPool<byte>.Shared.Return(utf8);

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
