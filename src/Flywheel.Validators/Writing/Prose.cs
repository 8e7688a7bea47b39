using System.Text;

namespace Flywheel.Validators.Writing;

/// <param name="Start">UTF-16 offset in the text.</param>
readonly record struct Word(int Start, int Length, bool BeginsSentence)
{
    public int End => Start + Length;
    public ReadOnlySpan<char> In(string text) => text.AsSpan(Start, Length);
}

/// <summary>What of a text is prose, and its words and sentences.</summary>
/// <remarks>
/// A word is a run of letters and digits with single apostrophes or hyphens inside; a Chinese or Japanese character is a word by
/// itself. A sentence ends with <c>. ! ? …</c> before white space, or with a line.
/// </remarks>
static class Prose
{
    /// <summary>The text without Markdown code blocks and addresses, each replaced by spaces of its length, so offsets stay.</summary>
    public static string Of(string text)
    {
        var prose = new StringBuilder(text);
        var fence = -1;
        for (var at = 0; at < text.Length;)
        {
            var end = text.IndexOf('\n', at) is var found and >= 0 ? found : text.Length;
            var line = text.AsSpan(at, end - at).TrimStart();
            var isFence = line.StartsWith("```") || line.StartsWith("~~~");
            if (isFence && fence < 0)
                fence = at;
            else if (isFence)
            {
                Blank(prose, fence, end);
                fence = -1;
            }
            at = end + 1;
        }
        if (fence >= 0)
            Blank(prose, fence, text.Length);
        for (var at = 0; (at = text.IndexOf("://", at, StringComparison.Ordinal)) >= 0; at += 3)
        {
            var (start, end) = (at, at);
            while (start > 0 && char.IsAsciiLetter(text[start - 1]))
                start--;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
                end++;
            Blank(prose, start, end);
        }
        return prose.ToString();
    }

    public static List<Word> Words(string text)
    {
        var words = new List<Word>();
        var begins = true;
        for (var at = 0; at < text.Length; at++)
        {
            var c = text[at];
            if (!char.IsLetterOrDigit(c))
            {
                begins |= c is '\n' or '。' or '！' or '？' || c is '.' or '!' or '?' or '…'
                    && (at + 1 == text.Length || char.IsWhiteSpace(text[at + 1]) || text[at + 1] is '"' or ')' or '”');
                continue;
            }
            var start = at;
            if (!IsIdeograph(c))
                while (at + 1 < text.Length && IsInside(text, at + 1))
                    at++;
            words.Add(new(start, at + 1 - start, begins));
            begins = false;
        }
        return words;
    }

    /// <summary>Folded sentences of three words or more.</summary>
    public static IEnumerable<string> Sentences(string text, IReadOnlyList<Word> words)
    {
        for (var from = 0; from < words.Count;)
        {
            var to = from + 1;
            while (to < words.Count && !words[to].BeginsSentence)
                to++;
            if (to - from >= 3)
                yield return string.Join(' ', Enumerable.Range(from, to - from).Select(i => Folded(text, words[i])));
            from = to;
        }
    }

    /// <summary>Lower case, possessive ending left out.</summary>
    public static string Folded(string text, Word word)
    {
        var folded = word.In(text).ToString().Replace('’', '\'').ToLowerInvariant();
        return folded.EndsWith("'s", StringComparison.Ordinal) ? folded[..^2] : folded;
    }

    /// <summary>Sequences of n folded words.</summary>
    public static List<string> Ngrams(string text, int n)
    {
        var words = Words(text).ConvertAll(word => Folded(text, word));
        var grams = new List<string>();
        for (var i = 0; i + n <= words.Count; i++)
            grams.Add(string.Join(' ', words.GetRange(i, n)));
        return grams;
    }

    static bool IsInside(string text, int at) =>
        char.IsLetterOrDigit(text[at]) && !IsIdeograph(text[at])
        || text[at] is '\'' or '’' or '-' && at + 1 < text.Length && char.IsLetterOrDigit(text[at + 1]);

    static bool IsIdeograph(char c) => c is >= '\u3040' and <= '\u30FF' or >= '\u3400' and <= '\u9FFF';

    static void Blank(StringBuilder prose, int from, int to)
    {
        for (var i = from; i < to; i++)
            if (prose[i] != '\n')
                prose[i] = ' ';
    }
}
