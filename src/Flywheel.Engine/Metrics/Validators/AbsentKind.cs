using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when the text holds none of some words. Score: how often they stand in it.</summary>
sealed class AbsentKind() : ValidatorKind("absent", 1, "The text contains none of the words, such as \"delve\" or \"crucial\".",
    new("words", "text or list of texts", "Words or phrases that must not occur.", null),
    new("ignore_case", "true or false", "Treat upper and lower case alike.", "true"),
    new("whole_words", "true or false", "Do not find a word inside a longer one.", "true"),
    new("inflections", "true or false", "Also the regular English forms: delve, delves, delved, delving.", "false"))
{
    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var words = read.RequiredTexts("words", "give the word or the list of words that must not occur.");
        var ignoreCase = read.Flag("ignore_case", true);
        var wholeWords = read.Flag("whole_words", true);
        var inflections = read.Flag("inflections", false);
        if (inflections && !wholeWords)
            throw read.Wrong("inflections", "needs whole words: leave `whole_words` at true, or `inflections` at false.");

        var forms = words.SelectMany(word => inflections ? Inflections.Of(word) : [word])
            .Distinct(ignoreCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal).ToArray();

        return new TextValidator(version, context.Subject, (text, _) =>
        {
            var hits = forms.Select(form => (Form: form, Count: Phrases.Count(text, form, ignoreCase, wholeWords)))
                .Where(hit => hit.Count > 0).ToArray();
            if (hits.Length == 0)
                return Finding.Pass(0);
            var named = hits.Take(10).Select(hit => hit.Count == 1 ? $"`{hit.Form}`" : $"`{hit.Form}` ({hit.Count} times)");
            var more = hits.Length > 10 ? $" and {hits.Length - 10} more" : "";
            return Finding.Fail($"found: {string.Join(", ", named)}{more}", hits.Sum(hit => (double)hit.Count));
        });
    }
}
