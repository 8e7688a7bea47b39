using System.Collections.Frozen;
using System.Text.Json;
using System.Text.RegularExpressions;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when a classifier's answer agrees with what rules over the input expect.</summary>
/// <remarks>
/// "Mentions bill or payment ⇒ billing." A disagreement is a fail, so it enters the review queue with both classes; a person's correction
/// then makes the case a demonstration of the node. Where no rule fits, or rules want different classes, nothing is claimed.
/// Score: how many rules spoke for the class that they expect.
/// </remarks>
sealed class ClassifierRuleKind() : ValidatorKind(
    "classifier.rule", 1, "A classifier's answer agrees with rules over its input, where one applies.",
    new("rules", "list of objects",
        "Each {\"class\": \"billing\", \"words\": [\"bill\", \"payment\"], \"pattern\": \"inv-[0-9]+\"}: words as whole words with their "
            + "inflections, or a regular expression, or both.", null),
    new("ignore_case", "true or false", "Treat upper and lower case alike, in rules and classes.", "true"))
{
    const int MaxRules = 200;

    static readonly FrozenSet<NodeKind> Kinds = AllNodes.Where(kind => kind != NodeKind.Writer).ToFrozenSet();

    public override IReadOnlySet<NodeKind> NodeKinds => Kinds;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        if (context.Subject != MetricSubject.Output)
            throw new ValidatorSettingsException(
                "subject", "`classifier.rule` judges the answer by the rules over its input: leave `subject` out, or set it to output.");
        var ignoreCase = read.Flag("ignore_case", true);
        var rules = Rules(read, ignoreCase);
        var comparison = ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

        return new TextValidator(version, context.Subject, (text, examinee) =>
        {
            if ((examinee.Span?.Content.Input ?? examinee.Input) is not { } input)
                return Finding.Skipped("the span has no input for the rules to read");
            var hits = new List<(string Class, string Because)>();
            foreach (var rule in rules)
                try
                {
                    if (rule.Because(input) is { } because)
                        hits.Add((rule.Class, because));
                }
                catch (RegexMatchTimeoutException)
                {
                    return Finding.Error($"a pattern of class `{rule.Class}` took too long on this input: simplify its repeats");
                }
            if (hits.Count == 0)
                return Finding.Skipped("no rule applies to this input");
            var wanted = hits.Select(hit => hit.Class).Distinct(ignoreCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal)
                .ToArray();
            if (wanted.Length > 1)
                return Finding.Unsure(
                    $"the rules want different classes: {string.Join(", ", hits.Select(hit => $"{hit.Class} ({hit.Because})").Take(5))}");
            return string.Equals(text.Trim(), wanted[0], comparison)
                ? Finding.Pass(hits.Count)
                : Finding.Fail($"the rules expect `{wanted[0]}` ({hits[0].Because}), the answer is {Quote.Short(text.Trim())}", hits.Count);
        });
    }

    static List<Rule> Rules(ValidatorSettings read, bool ignoreCase)
    {
        if (read.Json("rules") is not { } json)
            throw read.Missing("rules", "give a list such as [{\"class\": \"billing\", \"words\": [\"bill\", \"payment\"]}].");
        if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() is 0 or > MaxRules)
            throw read.Wrong("rules",
                $"must be a list of 1 to {MaxRules} rules, such as [{{\"class\": \"billing\", \"words\": [\"bill\"]}}].");
        var rules = new List<Rule>();
        foreach (var (i, item) in json.EnumerateArray().Index())
        {
            var place = $"rules[{i}]";
            ValidatorSettings own;
            try
            {
                own = new ValidatorSettings(
                    "classifier.rule", [new("class", "text", "", null), new("words", "text or list", "", null),
                        new("pattern", "text", "", null)], item);
                if (item.ValueKind != JsonValueKind.Object)
                    throw own.Missing("class", "each rule is an object with a class.");
                var name = own.RequiredText("class", "name the class that the rule expects.").Trim();
                var words = own.Texts("words");
                string? problem = null;
                var pattern = own.Text("pattern") is { } text ? Regexes.Compile(text, ignoreCase, whole: false, out problem)
                    ?? throw own.Wrong("pattern", problem!) : null;
                if (words.Count == 0 && pattern is null)
                    throw own.Missing("words", "give `words`, a `pattern`, or both.");
                rules.Add(new(name, [.. words.Select(word => (word, Inflections.Of(word)))], pattern, ignoreCase));
            }
            catch (ValidatorSettingsException error)
            {
                throw new ValidatorSettingsException("rules", $"{place}: {error.Message}");
            }
        }
        return rules;
    }

    sealed record Rule(string Class, IReadOnlyList<(string Word, IReadOnlyList<string> Forms)> Words, Regex? Pattern, bool IgnoreCase)
    {
        /// <summary>What in the input the rule goes by; null when it does not apply.</summary>
        public string? Because(string input)
        {
            foreach (var (word, forms) in Words)
                if (forms.Any(form => Phrases.Count(input, form, IgnoreCase, wholeWords: true, atMost: 1) > 0))
                    return $"mentions `{word}`";
            return Pattern?.IsMatch(input) == true ? $"matches `{Pattern}`" : null;
        }
    }
}
