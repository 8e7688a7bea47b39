using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Writing;

/// <summary>
/// Passes when every number, date, link and name of the text stands in the given context. Score: how many do not.
/// </summary>
/// <remarks>It compares what is written, not what is meant: a wrong statement made of the context's own words passes.</remarks>
sealed class GroundedKind() : ValidatorKind("writer.grounded", 2, "Names, numbers, dates and links of the text stand in the given context.",
    new("context", "text", "Path of the context in the span's attributes: a text, or any JSON whose texts and numbers count.", "context"),
    new("check", "list of names, numbers, dates, links", "What to look for.", "all four"),
    new("max_missing", "integer", "So many may be missing from the context.", "0"),
    new("max_new_words", "number", "Largest share of words of four letters and more that the context does not hold, 0 to 1.",
        "1, no limit"),
    new("use_input", "true or false", "What the question says counts as given.", "true"))
{
    static readonly FrozenSet<string> Types = FrozenSet.Create(StringComparer.Ordinal, "names", "numbers", "dates", "links");

    public override IReadOnlySet<MetricSubject> Subjects => OutputOnly;
    public override bool CanGuard => false;
    public override bool FindsSpans => true;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var path = read.Text("context") ?? "context";
        if (string.IsNullOrWhiteSpace(path))
            throw read.Wrong("context", "is empty: give a path such as `context` or `retrieval.documents`.");
        var check = read.Texts("check") is { Count: > 0 } given ? given.ToFrozenSet(StringComparer.Ordinal) : Types;
        if (check.FirstOrDefault(type => !Types.Contains(type)) is { } unknown)
            throw read.Wrong("check", $"holds {Quote.Short(unknown)}: give some of {NearMiss.List(Types.Order())}.");
        var most = read.Integer("max_missing", 0, 1_000) ?? 0;
        var newWords = read.Number("max_new_words", 0, 1) ?? 1;
        var useInput = read.Flag("use_input", true);

        return new TextValidator(version, context.Subject, (text, examinee) =>
        {
            if (AttributeText.ElementAt(examinee.Span?.Content.Attributes, path) is not { } element)
                return Finding.Skipped($"no context: the span's attributes have no `{path}`");
            var source = new StringBuilder();
            Flatten(element, source);
            if (useInput)
                source.Append('\n').Append(examinee.Span?.Content.Input ?? examinee.Input);
            var claims = Claims.Of(source.ToString());
            var missing = claims.Missing(text, check);
            var share = claims.NewWords(text);
            double score = missing.Count;
            if (missing.Count <= most && share <= newWords)
                return Finding.Pass(score) with { Spans = missing.Count > 0 ? missing : null };
            var named = missing.Select(span => $"{span.Type} {Quote.Short(text.Substring(span.Start, span.Length), 40)}").Distinct()
                .ToArray();
            var words = missing.Count > most
                ? "not in the context: " + string.Join(", ", named.Take(8)) + (named.Length > 8 ? $" and {named.Length - 8} more" : "")
                : string.Create(CultureInfo.InvariantCulture, $"{100 * share:0} % of its longer words are not in the context");
            return Finding.Fail(words, score) with { Spans = missing };
        });
    }

    static void Flatten(JsonElement element, StringBuilder into)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                into.Append(element.GetString()).Append('\n');
                break;
            case JsonValueKind.Number:
                into.Append(element.GetRawText()).Append('\n');
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    Flatten(item, into);
                break;
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                    Flatten(property.Value, into);
                break;
        }
    }
}
