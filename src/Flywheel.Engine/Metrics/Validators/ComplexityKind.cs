using System.Globalization;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when the text is neither longer nor more involved than the ranges allow. Score: its tokens.</summary>
/// <remarks>
/// A sentence ends with <c>. ! ? 。</c> before white space or the end, or with a line. Structure: lines, URLs, the longest run without
/// white space, and how deep brackets are nested, which pasted code and data raise.
/// </remarks>
sealed class ComplexityKind(ITokenCounter? tokens) : ValidatorKind("input.complexity", 1, "The text is neither too long nor too involved.",
    new("min_tokens", "integer", "Fewest tokens.", "0"),
    new("max_tokens", "integer", "Most tokens; counted with the tokenizer built in.", "2000"),
    new("max_sentences", "integer", "Most sentences.", "100"),
    new("max_words_per_sentence", "integer", "Most words in one sentence.", "150"),
    new("max_lines", "integer", "Most lines that are not empty.", "200"),
    new("max_links", "integer", "Most addresses with http:// or https://.", "10"),
    new("max_unbroken", "integer", "Most characters in a row without white space, links aside.", "200"),
    new("max_nesting", "integer", "Deepest nesting of brackets.", "10"))
{
    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        int Limit(string name, int otherwise) => read.Integer(name, 0, 10_000_000) ?? otherwise;
        var min = Limit("min_tokens", 0);
        (string Name, int Max, Func<Shape, int> Value)[] limits =
        [
            ("tokens", Limit("max_tokens", 2_000), shape => shape.Tokens),
            ("sentences", Limit("max_sentences", 100), shape => shape.Sentences),
            ("words in a sentence", Limit("max_words_per_sentence", 150), shape => shape.LongestSentence),
            ("lines", Limit("max_lines", 200), shape => shape.Lines),
            ("links", Limit("max_links", 10), shape => shape.Links),
            ("characters without a space", Limit("max_unbroken", 200), shape => shape.Unbroken),
            ("levels of brackets", Limit("max_nesting", 10), shape => shape.Nesting),
        ];
        if (min > limits[0].Max)
            throw read.Wrong("min_tokens", $"is {min}, more than `max_tokens` ({limits[0].Max}): no text can pass.");
        if (tokens is null)
            throw read.Wrong("max_tokens", "cannot be counted: no token counter is installed here.");

        return new TextValidator($"{version}-{tokens.Name}", context.Subject, (text, _) =>
        {
            var shape = Shape.Of(text, tokens);
            var over = limits.Where(limit => limit.Value(shape) > limit.Max)
                .Select(limit => string.Create(CultureInfo.InvariantCulture, $"{limit.Value(shape)} {limit.Name}, more than {limit.Max}")).ToList();
            if (shape.Tokens < min)
                over.Add(string.Create(CultureInfo.InvariantCulture, $"{shape.Tokens} tokens, fewer than {min}"));
            return over.Count == 0 ? Finding.Pass(shape.Tokens) : Finding.Fail(string.Join("; ", over), shape.Tokens);
        });
    }

    sealed record Shape(int Tokens, int Sentences, int LongestSentence, int Lines, int Links, int Unbroken, int Nesting)
    {
        public static Shape Of(string text, ITokenCounter tokens)
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
                    if (word.Contains("http://", StringComparison.OrdinalIgnoreCase) || word.Contains("https://", StringComparison.OrdinalIgnoreCase))
                        links++;
                    else
                        unbroken = Math.Max(unbroken, word.Length);
                    foreach (var c in word)
                    {
                        depth = c is '(' or '[' or '{' ? depth + 1 : c is ')' or ']' or '}' ? Math.Max(0, depth - 1) : depth;
                        nesting = Math.Max(nesting, depth);
                    }
                    if (word.TrimEnd("\"')]}»”").EndsWithAny('.', '!', '?', '。', '！', '？'))
                        EndSentence();
                }
                EndSentence();
            }
            return new(tokens.Count(text), sentences, longest, lines, links, unbroken, nesting);
        }
    }
}

static class Ends
{
    public static bool EndsWithAny(this ReadOnlySpan<char> text, params ReadOnlySpan<char> marks) => !text.IsEmpty && marks.Contains(text[^1]);
}
