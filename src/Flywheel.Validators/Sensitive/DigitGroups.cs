namespace Flywheel.Validators.Sensitive;

/// <summary>A row of digits in groups, each but the first behind one separator: <c>4111 1111-1111</c>.</summary>
/// <param name="Start">Of each group in the text.</param>
/// <param name="Length">Of each group.</param>
readonly record struct DigitGroup(int Start, int Length)
{
    public int End => Start + Length;
}

static class DigitGroups
{
    /// <summary>Rows of digit groups from left to right; a row ends where anything else than one separator stands between groups.</summary>
    public static IEnumerable<List<DigitGroup>> Rows(ScannedText text, string separators)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!text.IsDigit(i))
            {
                i++;
                continue;
            }
            var row = new List<DigitGroup>();
            while (true)
            {
                var start = i;
                while (text.IsDigit(i))
                    i++;
                row.Add(new(start, i - start));
                if (i + 1 >= text.Length || !separators.Contains(text[i]) || !text.IsDigit(i + 1))
                    break;
                i++;
            }
            yield return row;
        }
    }
}
