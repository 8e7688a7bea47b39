using System.Globalization;
using CsCheck;
using Flywheel.Core.Prompts;

namespace Flywheel.Tests.Prompts;

public sealed class UnifiedDiffTests
{
    [Fact]
    public void Equal_texts_have_no_diff() => Assert.Equal("", UnifiedDiff.Of("a\nb\n", "a\r\nb", "x", "y"));

    [Fact]
    public void Changes_far_apart_are_hunks_of_their_own_with_three_lines_around_them()
    {
        var before = string.Join('\n', Enumerable.Range(1, 20));
        var after = before.Replace("\n3\n", "\nthree\n", StringComparison.Ordinal).Replace("\n18\n", "\n", StringComparison.Ordinal);

        var diff = UnifiedDiff.Of(before, after, "old", "new");

        Assert.Equal(
            "--- old\n+++ new\n@@ -1,6 +1,6 @@\n 1\n 2\n-3\n+three\n 4\n 5\n 6\n@@ -15,6 +15,5 @@\n 15\n 16\n 17\n-18\n 19\n 20\n", diff);
    }

    [Fact]
    public void From_nothing_counts_from_zero() =>
        Assert.Equal("--- o\n+++ n\n@@ -0,0 +1,2 @@\n+a\n+b\n", UnifiedDiff.Of("", "a\nb\n", "o", "n"));

    [Fact]
    public void Applying_the_diff_to_the_old_text_gives_the_new_one() =>
        Gen.Select(Gen.Char['a', 'd'].Array[0, 30], Gen.Char['a', 'd'].Array[0, 30]).Sample(pair =>
        {
            var (before, after) = (string.Join('\n', pair.Item1), string.Join('\n', pair.Item2));

            Assert.Equal(Lines(after), Applied(Lines(before), UnifiedDiff.Of(before, after, "o", "n")));
        });

    static string[] Lines(string text) => text.Length == 0 ? [] : text.Split('\n');

    static List<string> Applied(string[] before, string diff)
    {
        var (after, at) = (new List<string>(), 0);
        foreach (var line in diff.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(2))
        {
            if (line.StartsWith("@@ -", StringComparison.Ordinal))
            {
                var range = line[4..line.IndexOf(' ', 4)].Split(',');
                var start = int.Parse(range[0], CultureInfo.InvariantCulture) - (range is [_, "0"] ? 0 : 1);
                while (at < start)
                    after.Add(before[at++]);
                continue;
            }
            if (line[0] != '+')
                Assert.Equal(line[1..], before[at++]);
            if (line[0] != '-')
                after.Add(line[1..]);
        }
        after.AddRange(before[at..]);
        return after;
    }
}
