using System.Text.RegularExpressions;

namespace Flywheel.Core.Metrics;

/// <summary>Regular expressions whose time is linear in the text, whatever the pattern and the text.</summary>
static class Regexes
{
    /// <summary>Characters of a pattern.</summary>
    public const int MaxPatternLength = 1_000;

    /// <summary>A check that takes longer is broken off; the automaton of a huge pattern is linear too, but slow.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    /// <param name="whole">The pattern must cover the whole text.</param>
    /// <param name="problem">Why the pattern cannot be used, as the end of a sentence that begins with its name.</param>
    public static Regex? Compile(string pattern, bool ignoreCase, bool whole, out string? problem)
    {
        problem = null;
        if (pattern.Length > MaxPatternLength)
        {
            problem = $"has {pattern.Length} characters; the limit is {MaxPatternLength}.";
            return null;
        }
        var options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | (
            ignoreCase ? RegexOptions.IgnoreCase : RegexOptions.None);
        try
        {
            var regex = new Regex(pattern, options, Timeout);
            return whole ? new Regex($@"\A(?:{pattern})\z", options, Timeout) : regex;
        }
        catch (NotSupportedException)
        {
            problem = "uses look-around, a back-reference, an atomic group, a condition or a very large repeat, which can take for ever "
                + "on some "
                + "texts: rewrite it without them, or combine two metrics (one with `expect: no_match`).";
            return null;
        }
        catch (RegexParseException error)
        {
            problem = $"is no regular expression: {error.Message}";
            return null;
        }
    }
}
