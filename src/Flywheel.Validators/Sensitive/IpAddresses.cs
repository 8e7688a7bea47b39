using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Sensitive;

/// <summary>IPv4 addresses of four decimal numbers, and IPv6 addresses (RFC 4291).</summary>
sealed class IpAddresses : ISensitiveType
{
    /// <summary>What makes four numbers with dots something else.</summary>
    static readonly FrozenSet<string> Others = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "version", "versions", "v", "ver", "release", "build", "section", "chapter", "firmware", "driver");

    public string Name => "ip";

    public void Find(ScannedText text, List<FoundSpan> found)
    {
        foreach (var row in DigitGroups.Rows(text, "."))
            if (row.Count == 4 && IsAlone(text, row) && row.All(group => IsOctet(text, group))
                && text.LastWordBefore(row[0].Start, Others, before: 12) < 0)
                found.Add(new(row[0].Start, row[3].End - row[0].Start, Name));
        FindLong(text, found);
    }

    static bool IsAlone(ScannedText text, List<DigitGroup> row)
    {
        var (before, after) = (row[0].Start - 1, row[3].End);
        return !text.IsWord(before) && (before < 0 || text[before] is not ('.' or '-' or '_')) && !text.IsWord(after)
            && !(after + 1 < text.Length && text[after] is '.' or '-' or '_' && text.IsWord(after + 1));
    }

    static bool IsOctet(ScannedText text, DigitGroup group) => group.Length switch
    {
        1 => true,
        2 => text[group.Start] != '0',
        3 => text[group.Start] is '1' || text[group.Start] == '2' && string.CompareOrdinal(text.Plain, group.Start, "255", 0, 3) <= 0,
        _ => false,
    };

    void FindLong(ScannedText text, List<FoundSpan> found)
    {
        for (var colon = text.Plain.IndexOf(':'); colon >= 0;)
        {
            var start = colon;
            while (start > 0 && IsPart(text[start - 1]))
                start--;
            var end = colon;
            while (end < text.Length && IsPart(text[end]))
                end++;
            while (end > colon && text[end - 1] is '.' or ':' && !text.Plain.AsSpan(start, end - start).EndsWith("::"))
                end--;
            var candidate = text.Plain.AsSpan(start, end - start);
            if (candidate.Length is >= 3 and <= 45 && candidate.Count(':') >= 2 && candidate.IndexOfAnyInRange('0', '9') >= 0
                && !text.IsWord(start - 1)
                && !text.IsWord(end) && IPAddress.TryParse(candidate, out var address)
                && address.AddressFamily == AddressFamily.InterNetworkV6)
                found.Add(new(start, end - start, Name));
            colon = end < text.Length ? text.Plain.IndexOf(':', Math.Max(end, colon + 1)) : -1;
        }
    }

    static bool IsPart(char c) => char.IsAsciiHexDigit(c) || c is ':' or '.';
}
