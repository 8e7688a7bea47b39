using System.Collections.Frozen;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Sensitive;

/// <summary>US social security numbers: area 001-899 without 666, group and serial not zero (SSA, since 2011).</summary>
/// <remarks>They have no check digit. Written without dashes they count only near "SSN" or "social security".</remarks>
sealed class SocialSecurityNumbers : ISensitiveType
{
    static readonly FrozenSet<string> Context = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "ssn", "ssns", "social", "security", "itin", "tin");

    public string Name => "ssn";

    public void Find(ScannedText text, List<FoundSpan> found)
    {
        foreach (var row in DigitGroups.Rows(text, " -"))
            for (var i = 0; i < row.Count; i++)
                if (EndGroup(text, row, i) is { } last)
                {
                    found.Add(new(row[i].Start, row[last].End - row[i].Start, Name));
                    i = last;
                }
    }

    static int? EndGroup(ScannedText text, List<DigitGroup> row, int i)
    {
        if (text.IsWord(row[i].Start - 1) || i > 0 && text[row[i].Start - 1] == '-')
            return null;
        if (i + 2 < row.Count && row[i].Length == 3 && row[i + 1].Length == 2 && row[i + 2].Length == 4)
        {
            var (a, b) = (text[row[i].End], text[row[i + 1].End]);
            if (a != b || text.IsWord(row[i + 2].End) || i + 3 < row.Count && text[row[i + 2].End] == '-')
                return null;
            return IsIssued(Number(text, row[i]), Number(text, row[i + 1]), Number(text, row[i + 2]))
                && (a == '-' || text.HasNear(row[i].Start, row[i + 2].End, Context)) ? i + 2 : null;
        }
        if (row[i].Length == 9 && !text.IsWord(row[i].End) && text.HasNear(row[i].Start, row[i].End, Context, before: 40))
        {
            var all = Number(text, row[i]);
            return IsIssued(all / 1_000_000, all / 10_000 % 100, all % 10_000) ? i : null;
        }
        return null;
    }

    static bool IsIssued(int area, int group, int serial) => area is > 0 and < 900 and not 666 && group > 0 && serial > 0;

    static int Number(ScannedText text, DigitGroup group) =>
        int.Parse(text.Plain.AsSpan(group.Start, group.Length), System.Globalization.CultureInfo.InvariantCulture);
}
