namespace Flywheel.Engine.Metrics.Validators;

/// <summary>The regular English forms of a word.</summary>
/// <remarks>
/// Spelling rules only, no dictionary: <c>delve</c> gives delves, delved, delving; <c>crucial</c> gives crucially;
/// irregular forms (<c>underlay</c>, <c>underlaid</c>) must be listed by themselves.
/// </remarks>
static class Inflections
{
    /// <summary>The word itself first; a phrase or a word with other characters than a-z has no other forms.</summary>
    public static IReadOnlyList<string> Of(string word)
    {
        var lower = word.ToLowerInvariant();
        if (lower.Length < 3 || !lower.All(char.IsAsciiLetterLower))
            return [word];

        var stem = lower[..^1];
        var forms = lower switch
        {
            _ when lower.EndsWith("ic", StringComparison.Ordinal) => [lower + "s", lower + "ally"],
            _ when lower.EndsWith("le", StringComparison.Ordinal) => [lower + "s", lower + "d", stem + "ing", stem + "y"],
            _ when lower.EndsWith("ee", StringComparison.Ordinal) => [lower + "s", lower + "d", lower + "ing"],
            _ when lower.EndsWith('e') => [lower + "s", lower + "d", stem + "ing", lower + "ly", lower + "r", lower + "st"],
            _ when lower.EndsWith('y') && !IsVowel(lower[^2]) =>
                [stem + "ies", stem + "ied", lower + "ing", stem + "ily", stem + "ier", stem + "iest"],
            _ when EndsInHiss(lower) => [lower + "es", lower + "ed", lower + "ing", lower + "ly"],
            _ when Doubles(lower) => new List<string>
            {
                lower + "s", lower + "ed", lower + "ing", lower + "ly", lower + lower[^1] + "ed", lower + lower[^1] + "ing",
            },
            _ => [lower + "s", lower + "ed", lower + "ing", lower + "ly"],
        };
        return [word, .. forms];
    }

    static bool EndsInHiss(string word) =>
        word.EndsWith('s') || word.EndsWith('x') || word.EndsWith('z')
        || word.EndsWith("ch", StringComparison.Ordinal) || word.EndsWith("sh", StringComparison.Ordinal);

    /// <summary>Consonant, vowel, consonant: <c>plan</c>, planned; <c>commit</c>, committed. Both spellings are tried.</summary>
    static bool Doubles(string word) =>
        !IsVowel(word[^1]) && word[^1] is not ('w' or 'x' or 'y') && IsVowel(word[^2]) && !IsVowel(word[^3]);

    static bool IsVowel(char c) => c is 'a' or 'e' or 'i' or 'o' or 'u';
}
