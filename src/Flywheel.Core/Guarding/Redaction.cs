using System.Text;
using Flywheel.Core.Metrics;

namespace Flywheel.Core.Guarding;

/// <summary>A text without the spans that were found in it: each is replaced by its type in brackets, such as <c>[card]</c>.</summary>
/// <remarks>Spans that overlap become one, named after the first and longest of them.</remarks>
public sealed class Redaction
{
    readonly List<(FoundSpan From, FoundSpan To)> replaced = [];

    /// <exception cref="ArgumentOutOfRangeException">A span lies outside the text.</exception>
    public Redaction(string text, IEnumerable<FoundSpan> spans)
    {
        ArgumentNullException.ThrowIfNull(text);
        var redacted = new StringBuilder(text.Length);
        var at = 0;
        foreach (var span in Merge(spans))
        {
            if (span.Start < 0 || span.Length < 1 || span.End > text.Length)
                throw new ArgumentOutOfRangeException(nameof(spans), $"{span} lies outside a text of {text.Length} characters.");
            redacted.Append(text, at, span.Start - at);
            var placeholder = Placeholder(span.Type);
            replaced.Add((span, new(redacted.Length, placeholder.Length, span.Type)));
            redacted.Append(placeholder);
            at = span.End;
        }
        Text = replaced.Count == 0 ? text : redacted.Append(text, at, text.Length - at).ToString();
    }

    public string Text { get; }

    /// <summary>What was taken out of the original text, in order, without overlaps.</summary>
    public IEnumerable<FoundSpan> Replaced => replaced.Select(pair => pair.From);

    public static string Placeholder(string type) => $"[{type}]";

    /// <summary>Where a span of the original text is in the redacted one; one inside something replaced becomes the placeholder.</summary>
    public FoundSpan Move(FoundSpan span)
    {
        var start = Move(span.Start, atEnd: false);
        return span with { Start = start, Length = Math.Max(1, Move(span.End, atEnd: true) - start) };
    }

    int Move(int position, bool atEnd)
    {
        var shift = 0;
        foreach (var (from, to) in replaced)
        {
            if (atEnd ? position <= from.Start : position < from.Start)
                break;
            if (atEnd ? position <= from.End : position < from.End)
                return atEnd ? to.End : to.Start;
            shift = to.End - from.End;
        }
        return position + shift;
    }

    static IEnumerable<FoundSpan> Merge(IEnumerable<FoundSpan> spans)
    {
        FoundSpan? current = null;
        foreach (var span in spans.OrderBy(span => span.Start).ThenByDescending(span => span.Length))
        {
            if (current is { } open && span.Start < open.End)
            {
                current = open with { Length = Math.Max(open.End, span.End) - open.Start };
                continue;
            }
            if (current is not null)
                yield return current;
            current = span;
        }
        if (current is not null)
            yield return current;
    }
}
