using System.Text.RegularExpressions;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>A fenced block of a page, or a hidden block of shell commands that prepares for those after it.</summary>
/// <remarks>
/// Comments directly before a block say how the test treats it: <c>not run: REASON</c>, <c>exit N</c> for a command that must fail,
/// <c>varies: REASON</c> for output that is not compared. <c>setup</c> and commands on the lines after it run before the next block.
/// </remarks>
/// <param name="Language">Of the fence; <c>setup</c> for a hidden block.</param>
/// <param name="Exit">The exit code that the last failing command of the block must have; 0 if none may fail.</param>
/// <param name="IsOutput">The block shows what the shell block directly before it prints.</param>
sealed partial record Snippet(int Line, string Language, string Text, string? NotRun, int Exit, bool IsOutput, bool Varies)
{
    public bool IsShell => Language is "sh" or "bash" or "setup";

    public static IReadOnlyList<Snippet> Of(MarkdownPage page)
    {
        var found = new List<Snippet>();
        var end = -1;
        foreach (Match match in Block().Matches(page.Text))
        {
            var line = page.Text.AsSpan(0, match.Index).Count('\n') + 1;
            if (match.Groups["setup"].Success)
            {
                found.Add(new(line, "setup", match.Groups["setup"].Value, null, 0, false, true));
                continue;
            }
            var note = match.Groups["note"].Value;
            var language = match.Groups["language"].Value;
            var follows = end >= 0 && string.IsNullOrWhiteSpace(page.Text[end..match.Index]);
            found.Add(new(line, language, match.Groups["text"].Value,
                note.StartsWith("not run: ", StringComparison.Ordinal) ? note["not run: ".Length..] : null,
                note.StartsWith("exit ", StringComparison.Ordinal)
                    ? int.Parse(note["exit ".Length..], System.Globalization.CultureInfo.InvariantCulture) : 0,
                follows && language is "json" or "" && found is [.., { IsShell: true, Language: not "setup" }],
                note.StartsWith("varies: ", StringComparison.Ordinal)));
            end = match.Index + match.Length;
        }
        return found;
    }

    [GeneratedRegex(@"^<!-- setup\n(?<setup>.*?)^-->\n|(?:^<!-- (?<note>[^\n]*) -->\n)?^```(?<language>\w*)\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
