using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Validators.Detection;

/// <summary>Passes when the text is neither longer nor more involved than the ranges allow. Score: its tokens.</summary>
sealed class ComplexityKind(ITokenCounter? tokens, DetectionServices? services) : ValidatorKind(
    "input.complexity", 2, "The text is neither too long nor too involved.",
    new("min_tokens", "integer", "Fewest tokens.", "0"),
    new("max_tokens", "integer", "Most tokens; counted with the tokenizer built in.", "2000"),
    new("max_sentences", "integer", "Most sentences.", "100"),
    new("max_words_per_sentence", "integer", "Most words in one sentence.", "150"),
    new("max_lines", "integer", "Most lines that are not empty.", "200"),
    new("max_links", "integer", "Most addresses with http:// or https://.", "10"),
    new("max_unbroken", "integer", "Most characters in a row without white space, links aside.", "200"),
    new("max_nesting", "integer", "Deepest nesting of brackets.", "10"),
    new("learn", "true or false", "Learn the limits that are not set from the reference that people approved for this metric.", "false"),
    new("reference", ReferenceRows.Type, "Ordinary texts to learn from instead; on the command line a JSONL or CSV file.", "none"),
    new("false_alarms", "number", "Nominal share of ordinary texts that fail a learned limit, all limits together.", "0.05"),
    new("text_field", "text", "Field of the rows that holds the text.", "text")),
    ILearningKind
{
    public const double DefaultFalseAlarms = 0.05;

    public string ReferenceTerms => $"`{Name}` with `learn`";

    public int? ReferenceNeeded(JsonElement settings) => StoredSetting.Flag(settings, "learn")
        ? Needed(StoredSetting.Number(settings, "false_alarms", DefaultFalseAlarms))
        : null;

    /// <summary>
    /// The limits that can be learned share the false alarms evenly, so that their sum holds whatever they have in common.
    /// </summary>
    public const int Limits = 8;

    /// <summary>The fewest ordinary texts.</summary>
    public static int Needed(double falseAlarms) => ConformalCalibration.Needed(falseAlarms / Limits);

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        ComplexityLimit Limit(string setting, string words, int otherwise, Func<TextShape, int> value) =>
            new(words, read.Integer(setting, 0, 10_000_000), otherwise, value);
        var least = new ComplexityLimit("tokens", read.Integer("min_tokens", 0, 10_000_000), 0, shape => shape.Tokens);
        ComplexityLimit[] most =
        [
            Limit("max_tokens", "tokens", 2_000, shape => shape.Tokens),
            Limit("max_sentences", "sentences", 100, shape => shape.Sentences),
            Limit("max_words_per_sentence", "words in a sentence", 150, shape => shape.LongestSentence),
            Limit("max_lines", "lines", 200, shape => shape.Lines),
            Limit("max_links", "links", 10, shape => shape.Links),
            Limit("max_unbroken", "characters without a space", 200, shape => shape.Unbroken),
            Limit("max_nesting", "levels of brackets", 10, shape => shape.Nesting),
        ];
        if (least.Given > (most[0].Given ?? most[0].Otherwise))
            throw read.Wrong("min_tokens",
                $"is {least.Given}, more than `max_tokens` ({most[0].Given ?? most[0].Otherwise}): no text can pass.");
        if (tokens is null)
            throw read.Wrong("max_tokens", "cannot be counted: no token counter is installed here.");

        var falseAlarms = read.Number("false_alarms", 0.001, 0.5) ?? DefaultFalseAlarms;
        var source = services
            ?? new DetectionServices(() => throw new InvalidOperationException("No embedder is needed here."), TimeProvider.System);
        var rows = ReferenceRows.Read(read, "reference", source);
        if (rows is not null && rows.Count < Needed(falseAlarms))
            throw read.Wrong("reference",
                $"has {rows.Count} rows; a false-alarm rate of {falseAlarms.ToString(CultureInfo.InvariantCulture)} over {Limits} limits "
                    + $"needs at least {Needed(falseAlarms)}: give more, or raise `false_alarms`.");
        var learn = read.Flag("learn", rows is not null);
        if (learn && rows is null && source.References is null)
            throw read.Wrong("learn",
                "has nothing to learn from here: give `reference`, or approve a reference of the project's own traffic on the server.");
        return new ComplexityValidator(
            $"{version}-{tokens.Name}", context, tokens, least, most, falseAlarms,
            rows is null || !learn ? null : new ReferenceSet("", [.. rows.Select(row => row.Text)]), learn ? source.References : null);
    }
}

/// <summary>One measure of a text and how far it may go.</summary>
/// <param name="Given">Set by the user; never learned over.</param>
/// <param name="Otherwise">While nothing was learned.</param>
sealed record ComplexityLimit(string Words, int? Given, int Otherwise, Func<TextShape, int> Value);
