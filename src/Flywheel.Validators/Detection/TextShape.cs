using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Detection;

/// <summary>How long and how involved a text is.</summary>
/// <remarks>
/// A sentence ends with <c>. ! ? 。</c> before white space or the end, or with a line. Structure: lines, URLs, the longest run without
/// white space, and how deep brackets are nested, which pasted code and data raise.
/// </remarks>
/// <param name="LongestSentence">Words.</param>
/// <param name="Lines">That are not empty.</param>
/// <param name="Unbroken">Characters of the longest word that is no link.</param>
sealed record TextShape(int Tokens, int Sentences, int LongestSentence, int Lines, int Links, int Unbroken, int Nesting)
{
    public static TextShape Of(string text, ITokenCounter tokens)
    {
        int sentences = 0, longest = 0, words = 0, lines = 0, links = 0, unbroken = 0, nesting = 0, depth = 0;
        void EndSentence()
        {
            sentences += words > 0 ? 1 : 0;
            longest = Math.Max(longest, words);
            words = 0;
        }

        foreach (var line in text.AsSpan().EnumerateLines())
        {
            lines += line.IsWhiteSpace() ? 0 : 1;
            foreach (var range in line.SplitAny(' ', '\t', '\u00A0', '\u3000'))
            {
                var word = line[range];
                if (word.IsEmpty)
                    continue;
                words++;
                if (word.Contains("http://", StringComparison.OrdinalIgnoreCase)
                    || word.Contains("https://", StringComparison.OrdinalIgnoreCase))
                    links++;
                else
                    unbroken = Math.Max(unbroken, word.Length);
                foreach (var c in word)
                {
                    depth = c is '(' or '[' or '{' ? depth + 1 : c is ')' or ']' or '}' ? Math.Max(0, depth - 1) : depth;
                    nesting = Math.Max(nesting, depth);
                }
                if (EndsSentence(word.TrimEnd("\"')]}»”")))
                    EndSentence();
            }
            EndSentence();
        }
        return new(tokens.Count(text), sentences, longest, lines, links, unbroken, nesting);
    }

    static bool EndsSentence(ReadOnlySpan<char> word) => !word.IsEmpty && word[^1] is ('.' or '!' or '?' or '。' or '！' or '？');
}
