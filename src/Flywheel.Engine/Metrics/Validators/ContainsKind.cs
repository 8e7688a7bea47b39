using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when the text holds one or all of some phrases. Score: how many of the phrases were found.</summary>
sealed class ContainsKind() : ValidatorKind("contains", 1, "The text contains a phrase, or one or all of several.",
    new("text", "text or list of texts", "What to look for.", null),
    new("match", "any or all", "Whether one phrase is enough.", "any"),
    new("ignore_case", "true or false", "Treat upper and lower case alike.", "false"),
    new("whole_words", "true or false", "Do not find a phrase inside a longer word.", "false"))
{
    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var phrases = read.RequiredTexts("text", "give the phrase or the list of phrases to look for.");
        var all = read.Choice("match", "any", "any", "all") == "all";
        var ignoreCase = read.Flag("ignore_case", false);
        var wholeWords = read.Flag("whole_words", false);

        return new TextValidator(version, context.Subject, (text, _) =>
        {
            var missing = phrases.Where(phrase => Phrases.Count(text, phrase, ignoreCase, wholeWords, atMost: 1) == 0).ToArray();
            var found = phrases.Count - missing.Length;
            return (all ? missing.Length == 0 : found > 0)
                ? Finding.Pass(found)
                : Finding.Fail($"not found: {NearMiss.List(missing.Take(10))}", found);
        });
    }
}
