using System.Collections.Frozen;
using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Validators.Languages;

namespace Flywheel.Validators.Writing;

/// <summary>Passes when the prose is neither too hard nor too simple. Score: the formula's value.</summary>
/// <remarks>
/// LIX: words a sentence + 100 × share of words over six letters (Björnsson 1968), any alphabet. Flesch-Kincaid grade: 0.39 × words a
/// sentence + 11.8 × syllables a word - 15.59 (Kincaid et al. 1975), English; syllables are estimated from groups of vowels.
/// </remarks>
sealed class ReadingLevelKind() : ValidatorKind("writer.reading-level", 1, "The prose is as easy to read as it should be.",
    new("formula", "one of lix, flesch-kincaid",
        "`flesch-kincaid` is a US school grade, English only; `lix` works in any alphabet: 30 easy, 40 newspapers, 60 hard.", "lix"),
    new("min", "number", "Simplest that passes; give `min`, `max` or both.", "no bound"),
    new("max", "number", "Hardest that passes.", "no bound"),
    new("min_words", "integer", "Shorter texts are unsure.", "30"))
{
    static readonly FrozenSet<Lingua.Language> EnglishFormula = LanguageShares.Supported(["en"]).ToFrozenSet();

    public override IReadOnlySet<MetricSubject> Subjects => OutputOnly;
    public override bool CanGuard => false;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var isLix = read.Choice("formula", "lix", "lix", "flesch-kincaid") == "lix";
        var (min, max) = (read.Number("min", -20, 500), read.Number("max", -20, 500));
        if (min is null && max is null)
            throw read.Missing("max", "give `max`, `min` or both, such as max=50 for LIX or max=10 for Flesch-Kincaid.");
        if (min > max)
            throw read.Wrong("min", "is more than `max`: no text can pass.");
        var least = read.Integer("min_words", 1, 10_000) ?? 30;

        return new TextValidator(version, context.Subject, (text, _) =>
        {
            var prose = Prose.Of(text);
            var words = Prose.Words(prose);
            if (words.Count < least)
                return Finding.Unsure($"{words.Count} words of prose, too few to tell how hard it reads");
            if (!isLix && LanguageShares.Of(prose, EnglishFormula) is ({ } share, { } likeliest) && share < 0.25)
                return Finding.Unsure($"Flesch-Kincaid is for English, and this is most like `{likeliest}`: use `lix`");
            var perSentence = (double)words.Count / words.Count(word => word.BeginsSentence);
            var level = Math.Round(isLix
                ? perSentence + 100.0 * words.Count(word => word.Length > 6) / words.Count
                : 0.39 * perSentence + 11.8 * words.Sum(word => Syllables(word.In(prose))) / words.Count - 15.59, 1);
            var said = string.Create(CultureInfo.InvariantCulture, $"{(isLix ? "LIX" : "grade")} {level:0.0}");
            return level > max ? Finding.Fail(string.Create(CultureInfo.InvariantCulture, $"{said}, harder than {max}"), level)
                : level < min ? Finding.Fail(string.Create(CultureInfo.InvariantCulture, $"{said}, simpler than {min}"), level)
                : Finding.Pass(level, said);
        });
    }

    /// <summary>Groups of vowels, without a silent e at the end; at least one.</summary>
    internal static int Syllables(ReadOnlySpan<char> word)
    {
        var count = 0;
        var inside = false;
        foreach (var c in word)
        {
            var isVowel = "aeiouyäöüéèáàóí".Contains(char.ToLowerInvariant(c));
            count += isVowel && !inside ? 1 : 0;
            inside = isVowel;
        }
        var isSilent = word.Length > 2 && word[^1] is 'e' && !"aeiouy".Contains(char.ToLowerInvariant(word[^2]))
            && !(word[^2] == 'l' && !"aeiouy".Contains(char.ToLowerInvariant(word[^3])));
        return Math.Max(1, count - (isSilent ? 1 : 0));
    }
}
