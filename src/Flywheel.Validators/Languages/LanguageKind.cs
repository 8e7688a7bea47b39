using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Languages;

/// <summary>Passes when the text is in one of the supported languages. Score: their share of the likelihood.</summary>
/// <remarks>Short texts are <c>unsure</c>: a name or a greeting is written alike in many languages.</remarks>
sealed class LanguageKind() : ValidatorKind("input.language", 2, "The text is in one of the supported languages.",
    new("languages", "list of ISO 639-1 codes", "Such as en, de.", null),
    new("min_letters", "integer", "Texts with fewer letters are unsure; a Chinese, Japanese or Korean character counts as three.", "12"))
{
    /// <summary>Below it a text is in another language; on sentences the error rates hardly change from 0.15 to 0.4.</summary>
    const double Threshold = 0.25;

    /// <summary>Up to here only a clear case is decided, up to <see cref="SomeLetters"/> only a clear rejection.</summary>
    const int FewLetters = 30;

    const int SomeLetters = 60;
    const double ClearlyOurs = 0.7;
    const double ClearlyTheirs = 0.005;
    const double RatherTheirs = 0.03;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var codes = read.RequiredTexts("languages", "list the languages that you support, such as [\"en\", \"de\"].")
            .Select(code => code.ToLowerInvariant()).ToArray();
        foreach (var code in codes)
            if (!LanguageShares.Knows(code))
                throw read.Wrong("languages", $"holds {Quote.Short(code)}: use two-letter codes (ISO 639-1) such as en, de, fr, ja.");
        var least = read.Integer("min_letters", 1, 1_000) ?? 12;
        var supported = LanguageShares.Supported(codes);
        var isLatin = LanguageShares.AreLatin(supported);
        var names = NearMiss.List(codes);

        return new TextValidator(version, context.Subject, (text, _) =>
        {
            var letters = Letters(text);
            if (letters < least)
                return Finding.Unsure($"{letters} letters, too few to tell the language");
            if (isLatin && IsOtherScript(text))
                return Finding.Fail($"in a script in which none of {names} is written", 0);
            var (share, likeliest) = LanguageShares.Of(text, supported);
            if (likeliest is null)
                return Finding.Unsure("no letters of a known language");
            var score = Math.Round(share, 4);
            if (letters < FewLetters && share is > ClearlyTheirs and < ClearlyOurs || letters < SomeLetters
                && share is > RatherTheirs and < Threshold)
                return Finding.Unsure($"too short to tell: most like `{likeliest}`", score);
            return share >= Threshold
                ? Finding.Pass(score, $"most like `{likeliest}`")
                : Finding.Fail(string.Create(CultureInfo.InvariantCulture, $"most like `{likeliest}`, which is not among {names}"), score);
        });
    }

    /// <summary>Whether four letters of five are not Latin.</summary>
    static bool IsOtherScript(string text)
    {
        int letters = 0, others = 0;
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, 1_000)))
            if (char.IsLetter(c))
            {
                letters++;
                others += c is > '\u024F' and not (>= '\u1E00' and <= '\u1EFF') and not (>= '\uFF21' and <= '\uFF5A') ? 1 : 0;
            }
        return others * 5 >= letters * 4;
    }

    /// <summary>Stops at a number that is enough for every decision.</summary>
    internal static int Letters(string text)
    {
        var letters = 0;
        foreach (var c in text)
        {
            if (char.IsLetter(c))
                letters += c is >= '\u3040' and <= '\u30FF' or >= '\u3400' and <= '\u9FFF' or >= '\uAC00' and <= '\uD7AF' ? 3 : 1;
            if (letters > 1_000)
                break;
        }
        return letters;
    }
}
