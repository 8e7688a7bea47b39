using System.Text.RegularExpressions;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Writing;

/// <summary>Passes when the text is well formed. Score: how many faults it has.</summary>
/// <remarks>A part of CommonMark and of GitHub's tables: what breaks visibly when shown. Links are read, never opened.</remarks>
sealed partial class FormatKind() : ValidatorKind(
    "writer.format", 1, "The text is well-formed Markdown, JSON, or plain text without marks.",
    new("format", "one of markdown, json, plain", "`json` is any strict JSON; use the kind `json` for a schema.", "markdown"),
    new("allow_links", "true or false", "Whether links may occur at all.", "true"))
{
    public override IReadOnlySet<MetricSubject> Subjects => OutputOnly;
    public override bool CanGuard => false;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var format = read.Choice("format", "markdown", "markdown", "json", "plain");
        var allowLinks = read.Flag("allow_links", true);
        return new TextValidator(version, context.Subject, (text, _) =>
        {
            var faults = new List<string>();
            if (format == "json" && StrictJson.Parse(text, out var problem) is null)
                faults.Add($"not JSON: {problem}");
            else if (format == "markdown")
                faults.AddRange(Markdown(text));
            else if (format == "plain")
                faults.AddRange(Marks(text));
            if (!allowLinks && AnyLink().Match(text) is { Success: true } link)
                faults.Add($"holds a link: {Quote.Short(link.Value)}");
            return faults.Count == 0
                ? Finding.Pass(0)
                : Finding.Fail(string.Join("; ", faults.Take(5)) + (faults.Count > 5 ? $"; and {faults.Count - 5} more" : ""),
                    faults.Count);
        });
    }

    static IEnumerable<string> Markdown(string text)
    {
        string? fence = null;
        var (opened, number, columns) = (0, 0, 0);
        var body = new List<string>();
        string? before = null;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.TrimEnd('\r');
            var mark = FenceMark().Match(line);
            if (fence is not null)
            {
                if (mark.Success && mark.Groups[1].Value.StartsWith(fence, StringComparison.Ordinal)
                    && mark.Groups[2].Value.Trim().Length == 0)
                    fence = null;
                continue;
            }
            if (mark.Success)
            {
                (fence, opened, columns, before) = (mark.Groups[1].Value, number, 0, null);
                continue;
            }
            body.Add(line);
            if (HeadingWithoutSpace().IsMatch(line))
                yield return $"line {number}: a heading needs a space after #";
            var cells = line.Contains('|', StringComparison.Ordinal) ? Cells(line) : 0;
            if (cells == 0)
                columns = 0;
            else if (TableRule().IsMatch(line) && before is not null)
            {
                columns = cells;
                if (Cells(before) != cells)
                    yield return $"line {number}: the table's head has {Cells(before)} columns and its rule {cells}";
            }
            else if (columns > 0 && cells != columns)
                yield return $"line {number}: a table row of {cells} cells among {columns} columns";
            before = cells > 0 ? line : null;
        }
        if (fence is not null)
            yield return $"line {opened}: a code block is not closed";
        var prose = InlineCode().Replace(string.Join('\n', body), "");
        foreach (var paragraph in BlankLine().Split(prose))
            if (Bold().Count(paragraph) % 2 == 1)
                yield return $"bold is not closed in {Quote.Short(paragraph.Trim(), 40)}";
        foreach (Match link in Link().Matches(prose))
            if (!Resolves(link.Groups[2].Value))
                yield return $"the link {Quote.Short(link.Value)} leads nowhere";
        if (OpenLink().Match(prose) is { Success: true } open)
            yield return $"the link {Quote.Short(open.Value.Trim())} is not closed";
        var known = Definition().Matches(prose).Select(found => found.Groups[1].Value.ToLowerInvariant()).ToHashSet();
        foreach (Match named in NamedLink().Matches(prose))
            if (!known.Contains(named.Groups[2].Value.ToLowerInvariant()))
                yield return $"the link {Quote.Short(named.Value)} is defined nowhere";
    }

    static IEnumerable<string> Marks(string text)
    {
        foreach (var (what, pattern) in new[]
        {
            ("a code block", FenceLine()), ("a heading", Heading()), ("bold", BoldText()), ("a Markdown link", Link()),
            ("a table", TableLine()),
            ("an HTML tag", Tag()),
        })
            if (pattern.Match(text) is { Success: true } found)
                yield return $"{what} in plain text: {Quote.Short(found.Value.Trim(), 40)}";
    }

    /// <summary>Syntactically: an absolute web, mail or phone address with a host, or a relative one without white space.</summary>
    static bool Resolves(string target)
    {
        var address = LinkTitle().Replace(target.Trim(), "").Trim();
        if (address.StartsWith('<') && address.EndsWith('>'))
            address = address[1..^1];
        if (address.Length == 0 || address.Any(char.IsWhiteSpace))
            return false;
        if (!Scheme().IsMatch(address))
            return Uri.TryCreate(address, UriKind.Relative, out _);
        return Uri.TryCreate(address, UriKind.Absolute, out var uri)
            && (uri.Scheme is "mailto" or "tel" || uri.Scheme is "http" or "https" && uri.Host.Length > 0
            && uri.Host.Contains('.', StringComparison.Ordinal) | uri.IsLoopback);
    }

    static int Cells(string line)
    {
        var row = InlineCode().Replace(line, "").Replace("\\|", "", StringComparison.Ordinal).Trim();
        return row.Trim('|').Count(c => c == '|') + 1 - (row.Trim('|').Length == 0 ? 1 : 0);
    }

    [GeneratedRegex(@"^ {0,3}(```+|~~~+)(.*)$")]
    private static partial Regex FenceMark();

    [GeneratedRegex(@"^ {0,3}#{2,6}[A-Za-z]")]
    private static partial Regex HeadingWithoutSpace();

    [GeneratedRegex(@"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")]
    private static partial Regex TableRule();

    [GeneratedRegex(@"`[^`\n]*`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"\n\s*\n")]
    private static partial Regex BlankLine();

    [GeneratedRegex(@"(?<![\\*])\*\*(?!\*)")]
    private static partial Regex Bold();

    [GeneratedRegex(@"\[([^\[\]\n]*)\]\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\[[^\[\]\n]+\]\([^()\n]*(?:\n|$)")]
    private static partial Regex OpenLink();

    [GeneratedRegex(@"^ {0,3}\[([^\]\n]+)\]:", RegexOptions.Multiline)]
    private static partial Regex Definition();

    [GeneratedRegex(@"\[([^\[\]\n]+)\]\[([^\[\]\n]+)\]")]
    private static partial Regex NamedLink();

    [GeneratedRegex(@"\s+(""[^""]*""|'[^']*')$")]
    private static partial Regex LinkTitle();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9+.-]*:")]
    private static partial Regex Scheme();

    [GeneratedRegex(@"https?://\S+|\]\([^)\s]+\)", RegexOptions.IgnoreCase)]
    private static partial Regex AnyLink();

    [GeneratedRegex(@"^ {0,3}(```|~~~)", RegexOptions.Multiline)]
    private static partial Regex FenceLine();

    [GeneratedRegex(@"^ {0,3}#{1,6} +\S[^\n]*", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\*\*[^*\s][^*\n]*\*\*|__[^_\s][^_\n]*__")]
    private static partial Regex BoldText();

    [GeneratedRegex(@"^[ \t]*\|[^\n|]*\|[^\n]*$", RegexOptions.Multiline)]
    private static partial Regex TableLine();

    [GeneratedRegex(@"</?(a|b|i|p|br|div|span|ul|ol|li|h[1-6]|strong|em|table|tr|td|script)(\s[^>\n]*)?/?>", RegexOptions.IgnoreCase)]
    private static partial Regex Tag();
}
