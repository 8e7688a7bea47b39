using System.Buffers;
using System.Text;

namespace Flywheel.Validators.Detection.Adversarial;

/// <summary>Other ways to read a text that plain reading misses: letters set apart, digits for letters, base64.</summary>
static class OtherReadings
{
    static readonly SearchValues<char> Base64 = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    static readonly SearchValues<char> Leet = SearchValues.Create("013457@$");

    /// <summary>"i g n o r e" joined and "1gn0r3" spelt out; null when the text has neither.</summary>
    public static string? Respelt(string text)
    {
        var joined = Joined(text);
        var spelt = Spelt(joined ?? text);
        return spelt ?? joined;
    }

    /// <summary>What base64 in the text says when it says something readable; null when none does.</summary>
    /// <param name="share">Of the characters that are base64, 0 to 1.</param>
    public static string? Decoded(string text, out double share)
    {
        share = 0;
        StringBuilder? found = null;
        var rest = text.AsSpan();
        var encoded = 0;
        while (rest.IndexOfAny(Base64) is >= 0 and var start)
        {
            rest = rest[start..];
            var length = rest.IndexOfAnyExcept(Base64) is >= 0 and var end ? end : rest.Length;
            if (length >= 20 && Read(rest[..length]) is { } words)
            {
                (found ??= new()).Append(words).Append('\n');
                encoded += length;
            }
            rest = rest[length..];
        }
        share = text.Length == 0 ? 0 : (double)encoded / text.Length;
        return found?.ToString();
    }

    static string? Read(ReadOnlySpan<char> run)
    {
        var whole = run[..(run.Length & ~3)];
        var bytes = new byte[run.Length];
        if (!Convert.TryFromBase64Chars(whole, bytes, out var written) || written < 12)
            return null;
        var readable = 0;
        foreach (var value in bytes.AsSpan(0, written))
            readable += value is >= 0x20 and < 0x7F or (byte)'\n' or (byte)'\r' or (byte)'\t' ? 1 : 0;
        var said = Encoding.Latin1.GetString(bytes, 0, written);
        return readable == written && said.Contains(' ', StringComparison.Ordinal) ? said : null;
    }

    /// <summary>Joins runs of six or more single letters with the same sign between them.</summary>
    static string? Joined(string text)
    {
        StringBuilder? joined = null;
        var copied = 0;
        for (var i = 0; i + 11 <= text.Length; i++)
        {
            if (!char.IsAsciiLetter(text[i]) || (i > 0 && char.IsLetterOrDigit(text[i - 1]))
                || text[i + 1] is not (' ' or '.' or '-' or '_' or '*' or '/'))
                continue;
            var between = text[i + 1];
            var end = i;
            while (end + 2 < text.Length && text[end + 1] == between && char.IsAsciiLetter(text[end + 2]))
                end += 2;
            if (end + 1 < text.Length && char.IsLetterOrDigit(text[end + 1]))
                end -= 2;
            if (end - i < 10)
                continue;
            joined ??= new();
            joined.Append(text, copied, i - copied);
            for (var at = i; at <= end; at += 2)
                joined.Append(text[at]);
            copied = end + 1;
            i = end;
        }
        return joined?.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>Letters for the digits and signs between letters, when four words or more are written so.</summary>
    static string? Spelt(string text)
    {
        if (text.AsSpan().IndexOfAny(Leet) < 0)
            return null;
        var spelt = text.ToCharArray();
        var words = 0;
        for (int start = 0, end; start < text.Length; start = end + 1)
        {
            int letters = 0, signs = 0;
            for (end = start; end < text.Length && !char.IsWhiteSpace(text[end]); end++)
            {
                letters += char.IsAsciiLetter(text[end]) ? 1 : 0;
                signs += Leet.Contains(text[end]) ? 1 : 0;
            }
            if (letters == 0 || signs == 0 || end - start > 20)
                continue;
            words++;
            for (var i = start; i < end; i++)
                spelt[i] = text[i] switch { '0' => 'o', '1' => 'i', '3' => 'e', '4' or '@' => 'a', '5' or '$' => 's', '7' => 't', var c =>
                    c };
        }
        return words >= 4 ? new string(spelt) : null;
    }
}
