using System.Text.Json;
using System.Text.RegularExpressions;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Sensitive;

/// <summary>
/// Passes when the text holds no card, account, number, address or key. Score: how many were found; the finding says where.
/// </summary>
/// <remarks>What a pattern or a check digit can tell. Names and postal addresses need a language model: use a judge for those.</remarks>
sealed class SensitiveKind() : ValidatorKind(
    "input.sensitive", 1, "The text holds no sensitive information: cards, accounts, phone numbers, addresses, keys.",
    new("types", "list of card, iban, ssn, phone, email, ip, secret", "What to look for.", "all of them"),
    new("patterns", "object of name to pattern",
        "Own forms: {\"customer\": \"C-[0-9]{6}\"}; .NET regular expressions without look-around and back-references.", "none"),
    new("regions", "list of countries", "ISO codes of the countries whose phone numbers are expected without a country code.", "US, GB"),
    new("allow", "text or list", "What may stand in a text: a whole value, or the end of one such as @example.com.", "none"))
{
    static readonly string[] Types = ["secret", "iban", "card", "ssn", "email", "ip", "phone"];

    public override bool FindsSpans => true;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var types = read.Texts("types");
        foreach (var type in types)
            if (!Types.Contains(type, StringComparer.Ordinal))
                throw read.Wrong("types", $"holds {Quote.Short(type)}: use {NearMiss.List(Types)}. Own forms go to `patterns`.");
        var regions = Regions(read);
        var patterns = Patterns(read);
        var allowed = read.Texts("allow");
        // In the order in which the first of two that overlap counts.
        ISensitiveType[] builtIn =
        [
            .. Types.Where(type => types.Count == 0 || types.Contains(type)).Select(type => (ISensitiveType)(type switch
            {
                "secret" => new Secrets(),
                "iban" => new Ibans(),
                "card" => new CardNumbers(),
                "ssn" => new SocialSecurityNumbers(),
                "email" => new EmailAddresses(),
                "ip" => new IpAddresses(),
                _ => new PhoneTypes(regions),
            })),
        ];
        return new TextValidator(version, context.Subject, (text, _) => Check(text, builtIn, patterns, allowed));
    }

    static Finding Check(string text, ISensitiveType[] builtIn, (string Name, Regex Pattern)[] patterns, IReadOnlyList<string> allowed)
    {
        var scanned = new ScannedText(text);
        var found = new List<FoundSpan>();
        try
        {
            foreach (var (name, pattern) in patterns)
                foreach (var match in pattern.EnumerateMatches(text))
                    if (match.Length > 0)
                        found.Add(new(match.Index, match.Length, name));
            var own = new List<FoundSpan>();
            foreach (var type in builtIn)
            {
                own.Clear();
                type.Find(scanned, own);
                foreach (var span in own)
                    if (!found.Any(other => span.Start < other.End && other.Start < span.End))
                        found.Add(span);
            }
        }
        catch (RegexMatchTimeoutException late)
        {
            return Finding.Error($"a pattern took longer than {late.MatchTimeout.TotalSeconds:0.#} s on this text: simplify its repeats");
        }
        found.RemoveAll(span =>
            allowed.Any(value => text.AsSpan(span.Start, span.Length).EndsWith(value, StringComparison.OrdinalIgnoreCase)));
        if (found.Count == 0)
            return Finding.Pass(0) with { Spans = [] };
        found.Sort((a, b) => a.Start.CompareTo(b.Start));
        var counts = string.Join(
            ", ", found.CountBy(span => span.Type).OrderBy(count => count.Key, StringComparer.Ordinal)
                .Select(count => $"{count.Value} {count.Key}"));
        return Finding.Fail("found " + counts, found.Count) with { Spans = found };
    }

    static string[] Regions(ValidatorSettings read)
    {
        var given = read.Texts("regions").Select(region => region.ToUpperInvariant()).ToArray();
        var known = global::PhoneNumbers.PhoneNumberUtil.GetInstance().GetSupportedRegions();
        foreach (var region in given)
            if (!known.Contains(region))
                throw read.Wrong("regions",
                    $"holds {Quote.Short(region)}, which is no country with telephone numbers: use codes such as US, DE or JP.");
        return given.Length > 0 ? given : ["US", "GB"];
    }

    static (string, Regex)[] Patterns(ValidatorSettings read)
    {
        if (read.Json("patterns") is not { } json)
            return [];
        if (json.ValueKind != JsonValueKind.Object)
            throw read.Wrong("patterns", "must be an object of names and patterns, such as {\"customer\": \"C-[0-9]{6}\"}.");
        var patterns = new List<(string, Regex)>();
        foreach (var property in json.EnumerateObject())
        {
            if (property.Name.Length is 0 or > 40 || property.Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.')))
                throw read.Wrong("patterns", $"names {Quote.Short(property.Name)}: use up to 40 letters, digits, `_`, `-` and `.`.");
            if (Types.Contains(property.Name, StringComparer.Ordinal))
                throw read.Wrong("patterns", $"names `{property.Name}`, which is built in: use another name.");
            if (property.Value.ValueKind != JsonValueKind.String || property.Value.GetString() is not { Length: > 0 } pattern)
                throw read.Wrong("patterns", $"must give a regular expression for `{property.Name}`.");
            var regex = Regexes.Compile(pattern, ignoreCase: false, whole: false, out var problem);
            patterns.Add((property.Name, regex ?? throw read.Wrong("patterns", $"for `{property.Name}` {problem}")));
        }
        return patterns.Count <= 50 ? [.. patterns] : throw read.Wrong("patterns", $"has {patterns.Count} entries; the limit is 50.");
    }
}
