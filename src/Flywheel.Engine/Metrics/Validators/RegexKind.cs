using System.Text.RegularExpressions;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when a regular expression matches, or does not.</summary>
sealed class RegexKind() : ValidatorKind("regex", 1, "The text matches a regular expression, or does not.",
    new("pattern", "text", ".NET regular expression without look-around and back-references.", null),
    new("match", "any or full", "Whether a match anywhere is enough or the whole text must match.", "any"),
    new("expect", "match or no_match", "What counts as a pass.", "match"),
    new("ignore_case", "true or false", "Treat upper and lower case alike.", "false"))
{
    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var pattern = read.RequiredText("pattern", "give a regular expression.");
        var whole = read.Choice("match", "any", "any", "full") == "full";
        var expectMatch = read.Choice("expect", "match", "match", "no_match") == "match";
        var regex = Regexes.Compile(pattern, read.Flag("ignore_case", false), whole, out var problem)
            ?? throw read.Wrong("pattern", problem!);

        return new TextValidator(version, context.Subject, (text, _) =>
        {
            try
            {
                if (regex.IsMatch(text) == expectMatch)
                    return Finding.Pass();
            }
            catch (RegexMatchTimeoutException)
            {
                return Finding.Error(
                    $"the pattern took longer than {Regexes.Timeout.TotalSeconds:0.#} s on this text: simplify its repeats");
            }
            return Finding.Fail(expectMatch ? whole ? "the text as a whole does not match" : "no match" : Where(regex, text));
        });
    }

    static string Where(Regex regex, string text)
    {
        var match = regex.Match(text);
        return $"matches at character {match.Index + 1} ({match.Length} characters)";
    }
}
