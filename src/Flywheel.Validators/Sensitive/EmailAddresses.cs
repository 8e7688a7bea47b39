using System.Buffers;
using System.Collections.Frozen;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Sensitive;

/// <summary>E-mail addresses as people write them (RFC 5322 without quotes and comments; Unicode letters as in RFC 6531).</summary>
sealed class EmailAddresses : ISensitiveType
{
    const string LocalMarks = "!#$%&'*+/=?^_`{|}~.-";

    /// <summary>Endings of picture files: <c>icon@2x.png</c> is no address.</summary>
    static readonly FrozenSet<string> Files = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "png", "jpg", "jpeg", "gif", "svg", "webp", "ico");

    static readonly SearchValues<char> Signs = SearchValues.Create("=/?&|{}`");

    public string Name => "email";

    public void Find(ScannedText text, List<FoundSpan> found)
    {
        var from = 0;
        for (var at = text.Plain.IndexOf('@'); at >= 0; at = text.Plain.IndexOf('@', at + 1))
        {
            var start = StartBefore(text, at, from);
            var end = EndAfter(text, at);
            if (start < 0 || end < 0)
                continue;
            found.Add(new(start, end - start, Name));
            from = end;
        }
    }

    static int StartBefore(ScannedText text, int at, int floor)
    {
        var start = at;
        while (start > floor && at - start < 64 && (text.IsWord(start - 1) || LocalMarks.Contains(text[start - 1])))
            start--;
        // Punctuation before a name belongs to the sentence, as does a name and sign in `mail=ann@…`.
        var sign = text.Plain.AsSpan(start, at - start).LastIndexOfAny(Signs);
        start += sign + 1;
        while (start < at && !text.IsWord(start) && text[start] is not '_')
            start++;
        return start < at && text[at - 1] != '.'
            && !text.Plain.AsSpan(start, at - start).Contains("..", StringComparison.Ordinal) ? start : -1;
    }

    static int EndAfter(ScannedText text, int at)
    {
        var end = at + 1;
        var label = end;
        var dot = -1;
        for (; end < text.Length && end - at < 254; end++)
        {
            if (text.IsWord(end) || text[end] == '-' && end > label)
                continue;
            if (text[end] != '.' || end == label || !text.IsWord(end + 1))
                break;
            dot = end;
            label = end + 1;
        }
        while (end > at && text[end - 1] == '-')
            end--;
        if (dot < 0 || end - dot - 1 < 2)
            return -1;
        var top = text.Plain.AsSpan(dot + 1, end - dot - 1);
        if (top.StartsWith("xn--", StringComparison.OrdinalIgnoreCase))
            return end;
        foreach (var c in top)
            if (!char.IsLetter(c))
                return -1;
        return Files.GetAlternateLookup<ReadOnlySpan<char>>().Contains(top) ? -1 : end;
    }
}
