using System.Collections.Concurrent;
using Lingua;

namespace Flywheel.Validators.Languages;

/// <summary>How likely a text is in one of some languages, against all others that are widely written.</summary>
/// <remarks>
/// A detector that knows only the supported languages must name one of them, whatever it reads. So it knows fifty, with the small models
/// (trigrams: 70 MB for all, and only those of a text's script are loaded), shared by every metric of the process. Languages that are
/// seldom met and close to large ones (Catalan, Macedonian …) weigh a tenth, or they would take texts away from their neighbours.
/// </remarks>
static class LanguageShares
{
    /// <summary>Letters beyond which a text is sampled at its start, middle and end.</summary>
    const int Sample = 300;

    /// <summary>Of such a text so many are read first, and the rest only where they leave it open: most cost a third then.</summary>
    const int FirstSample = 120;

    const double Clear = 0.999;

    const double SeldomWeight = 0.1;

    static readonly string[] Often =
    [
        "ar", "bg", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko", "nb", "nl", "pl",
        "pt",
        "ro", "ru", "sv", "tr", "uk", "vi", "zh", "hy", "ka", "ta", "te", "th", "gu", "pa",
    ];

    static readonly string[] Seldom = ["ca", "et", "hr", "lt", "sk", "sq", "sw", "mk", "sr", "be", "kk", "mr", "ur"];

    static readonly ConcurrentDictionary<string, Lazy<LanguageDetector>> Detectors = new();

    static readonly Dictionary<string, Language> Known = LanguageInfo.All()
        .GroupBy(language => LanguageInfo.IsoCode6391(language).ToString().ToLowerInvariant())
        .ToDictionary(group => group.Key, group => group.First());

    static readonly HashSet<Language> SeldomLanguages = [.. Seldom.Select(code => Known[code])];

    /// <summary>Norwegian is written in two forms; a text in either is Norwegian.</summary>
    public static IReadOnlySet<Language> Supported(IEnumerable<string> codes) =>
        codes.SelectMany(code => code is "no" or "nb" or "nn" ? ["nb", "nn"] : new[] { code }).Select(code => Known[code]).ToHashSet();

    public static bool AreLatin(IEnumerable<Language> languages) => languages.All(LanguageInfo.AllWithLatinScript().Contains);

    public static bool Knows(string code) => code == "no" || Known.ContainsKey(code);

    /// <returns>Share in [0, 1] of the supported languages, and the code of the likeliest language; null when no letter is known.</returns>
    public static (double Share, string? Likeliest) Of(string text, IReadOnlySet<Language> supported)
    {
        var languages = Often.Concat(Seldom).Select(code => Known[code]).Concat(supported).Distinct().Order().ToArray();
        var detector = Detectors.GetOrAdd(string.Join(',', languages), _ => new(() =>
            LanguageDetectorBuilder.FromLanguages(languages).WithLowAccuracyMode().Build())).Value;
        if (text.Length > Sample && supported.Count > 0
            && Share(detector, Sampled(text, FirstSample), supported) is { Likeliest: not null, Share: >= Clear or <= 1 - Clear } clear)
            return clear;
        return Share(detector, Sampled(text, Sample), supported);
    }

    static (double Share, string? Likeliest) Share(LanguageDetector detector, string text, IReadOnlySet<Language> supported)
    {
        double ours = 0, theirs = 0, best = 0;
        string? likeliest = null;
        foreach (var (language, confidence) in detector.ComputeLanguageConfidenceValues(text))
        {
            if (confidence > best)
                (best, likeliest) = (confidence, LanguageInfo.IsoCode6391(language).ToString().ToLowerInvariant());
            if (supported.Contains(language))
                ours += confidence;
            else
                theirs += confidence * (SeldomLanguages.Contains(language) ? SeldomWeight : 1);
        }
        return (ours + theirs == 0 ? 0 : ours / (ours + theirs), likeliest);
    }

    static string Sampled(string text, int length) => text.Length <= length
        ? text
        : string.Join(' ', new[] { 0, text.Length / 2 - length / 6, text.Length - length / 3 }
        .Select(start => text.AsSpan(start, length / 3).ToString()));
}
