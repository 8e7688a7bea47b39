using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when the text is neither too short nor too long; both bounds are allowed values. Score: the length.</summary>
/// <remarks>
/// A character is a Unicode scalar value, as in SQL's <c>length</c> and Python's <c>len</c>: <c>é</c> typed as one counts 1,
/// an emoji of a family counts its members and joiners. A word is what white space separates.
/// </remarks>
sealed class LengthKind(ITokenCounter? tokens) : ValidatorKind("length", 1, "The text is neither too short nor too long.",
    new("min", "integer", "Smallest allowed length.", "no lower bound"),
    new("max", "integer", "Largest allowed length.", "no upper bound"),
    new("unit", "characters, words or tokens", "What is counted.", "characters"))
{
    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var min = read.Integer("min", 0, int.MaxValue);
        var max = read.Integer("max", 0, int.MaxValue);
        var unit = read.Choice("unit", "characters", "characters", "words", "tokens");
        if (min is null && max is null)
            throw read.Missing("max", "give `max`, `min` or both.");
        if (min > max)
            throw read.Wrong("min", $"is {min}, more than `max` ({max}): no text can pass.");
        if (unit == "tokens" && tokens is null)
            throw read.Wrong("unit", "is `tokens`, but no token counter is installed: use `characters` or `words`.");

        Func<string, int> count = unit switch
        {
            "words" => CountWords,
            "tokens" => tokens!.Count,
            _ => CountCharacters,
        };
        return new TextValidator(unit == "tokens" ? $"{version}-{tokens!.Name}" : version, context.Subject, (text, _) =>
        {
            var length = count(text);
            return length < min ? Finding.Fail($"{length} {unit}, fewer than {min}", length)
                : length > max ? Finding.Fail($"{length} {unit}, more than {max}", length)
                : Finding.Pass(length);
        });
    }

    /// <summary>Unicode scalar values; half of a surrogate pair counts as one.</summary>
    internal static int CountCharacters(string text)
    {
        var pairs = 0;
        for (var i = 0; i + 1 < text.Length; i++)
            if (char.IsSurrogatePair(text[i], text[i + 1]))
            {
                pairs++;
                i++;
            }
        return text.Length - pairs;
    }

    /// <summary>Longest runs without white space.</summary>
    internal static int CountWords(string text)
    {
        var words = 0;
        var inWord = false;
        foreach (var c in text)
        {
            var isSpace = char.IsWhiteSpace(c);
            words += !isSpace && !inWord ? 1 : 0;
            inWord = !isSpace;
        }
        return words;
    }
}
