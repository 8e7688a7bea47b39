using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Sensitive;

/// <summary>
/// Keys, tokens and passwords: known prefixes, private key blocks, passwords in addresses, assignments, and random-looking words.
/// </summary>
/// <remarks>
/// A word is random-looking when it is long, mixes upper case, lower case and digits all over, and its letters are nearly evenly
/// distributed (Shannon entropy). Plain hexadecimal is left alone unless something like "key" stands before it, since hashes and ids look
/// the same.
/// </remarks>
sealed class Secrets : ISensitiveType
{
    const double MinEntropy = 3.9;
    const int MinRandomLength = 24;

    static readonly FrozenSet<string> KeyWords = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "key", "apikey", "secret", "token", "password", "passwd", "pwd", "credential", "credentials", "auth", "bearer", "access",
        "authorization");

    static readonly Regex[] Patterns =
    [
        Of(@"-----BEGIN [A-Z ]{0,30}PRIVATE KEY( BLOCK)?-----[A-Za-z0-9+/=\s:,.-]*(-----END [A-Z ]{0,30}PRIVATE KEY( BLOCK)?-----)?"),
        Of(@"[a-z][a-z0-9+.-]{1,20}://[^\s:/@]*:[^\s:/@]+@"),
        Of(@"\b(A3T[A-Z0-9]|AKIA|ASIA|AGPA|AIDA|AROA|ABIA|ACCA)[A-Z0-9]{16}\b"),
        Of(@"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,64})"),
        Of(@"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
        Of(@"\b(sk|rk|pk)_(live|test)_[A-Za-z0-9]{16,}\b|\bwhsec_[A-Za-z0-9+/=]{20,}"),
        Of(@"\bsk-(ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{20,}"),
        Of(@"\bAIza[A-Za-z0-9_-]{35}\b|\bya29\.[A-Za-z0-9_-]{20,}"),
        Of(@"\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
        Of(@"\b(npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|hf_[A-Za-z0-9]{30,64}|dop_v1_[a-f0-9]{64}|shp(at|ca|pa|ss)_[a-fA-F0-9]{32}|lin_api_[A-Za-z0-9]{32,64}|dapi[a-f0-9]{32})\b"),
        Of(@"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b|\b(SK|AC)[0-9a-f]{32}\b"),
        Of(@"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
        Of(@"AccountKey=[A-Za-z0-9+/]{60,100}={0,2}"),
    ];

    /// <summary>Group <c>v</c> is the secret.</summary>
    static readonly Regex Assignment = Of(
        @"(?i:pass(word|wd|phrase)?|pwd|passcode|passwort|secret|(api|access|secret|private|auth|client)[ _-]?(key|token|secret)|token|credentials?)"
        + @"[""']?[ \t]{0,3}(:|=|:=|=>|(?i:is|was|ist)[ \t:])[ \t]{0,3}[""'`]?(?<v>[^\s""'`,;<>{}()\[\]]{6,})");

    public string Name => "secret";

    public void Find(ScannedText text, List<FoundSpan> found)
    {
        var own = new List<FoundSpan>();
        foreach (var pattern in Patterns)
            foreach (var match in pattern.EnumerateMatches(text.Plain))
                Add(own, match.Index, match.Length);
        foreach (Match match in Assignment.Matches(text.Plain))
        {
            var value = match.Groups["v"];
            var length = value.Value.AsSpan().TrimEnd(".!?:").Length;
            if (length >= 6 && LooksChosen(value.ValueSpan[..length]))
                Add(own, value.Index, length);
        }
        AddRandomWords(text, own);
        found.AddRange(own);
    }

    void Add(List<FoundSpan> own, int start, int length)
    {
        if (!own.Any(other => start < other.End && other.Start < start + length))
            own.Add(new(start, length, Name));
    }

    /// <summary>A password rather than a word of the sentence or a placeholder.</summary>
    static bool LooksChosen(ReadOnlySpan<char> value)
    {
        bool letter = false, other = false;
        foreach (var c in value)
        {
            letter |= char.IsLetter(c);
            other |= char.IsDigit(c) || c is '!' or '@' or '#' or '$' or '%' or '^' or '&' or '*' or '+' or '?' or '~';
        }
        return other && (letter || value.Length >= 8) && value.IndexOf("**", StringComparison.Ordinal) < 0
            && value[0] is not ('$' or '%' or '[');
    }

    void AddRandomWords(ScannedText text, List<FoundSpan> own)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!IsTokenPart(text[i]))
            {
                i++;
                continue;
            }
            var start = i;
            while (i < text.Length && IsTokenPart(text[i]))
                i++;
            var word = text.Plain.AsSpan(start, i - start).TrimEnd('=');
            if (word.Length is >= MinRandomLength and <= 500
                && (IsRandom(word) || IsHex(word) && word.Length >= 32 && text.LastWordBefore(start, KeyWords, before: 20) >= 0))
                Add(own, start, i - start);
        }
    }

    static bool IsTokenPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '_' or '-' or '=';

    static bool IsHex(ReadOnlySpan<char> word)
    {
        foreach (var c in word)
            if (!char.IsAsciiHexDigit(c))
                return false;
        return true;
    }

    static bool IsRandom(ReadOnlySpan<char> word)
    {
        int upper = 0, lower = 0, digit = 0, changes = 0, marks = 0, run = 0, inRuns = 0;
        var last = 0;
        Span<int> counts = stackalloc int[128];
        foreach (var c in word)
        {
            counts[c]++;
            var type = char.IsAsciiLetterUpper(c) ? 1 : char.IsAsciiLetterLower(c) ? 2 : char.IsAsciiDigit(c) ? 3 : 4;
            upper += type == 1 ? 1 : 0;
            lower += type == 2 ? 1 : 0;
            digit += type == 3 ? 1 : 0;
            marks += type == 4 ? 1 : 0;
            changes += type != last ? 1 : 0;
            run = type == 2 ? run + 1 : 0;
            inRuns += run == 4 ? 4 : run > 4 ? 1 : 0;
            last = type;
        }
        if (upper < 3 || lower < 3 || digit < 2 || inRuns > word.Length * 0.4 || changes < word.Length * 0.4 || marks > word.Length / 8)
            return false;
        var entropy = 0.0;
        foreach (var count in counts)
            if (count > 0)
                entropy -= count / (double)word.Length * Math.Log2(count / (double)word.Length);
        return entropy >= MinEntropy;
    }

    static Regex Of(string pattern) =>
        new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
}
