using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Validators.Detection;

/// <summary>
/// Passes inputs that resemble a text of a supported topic or hold one of its keywords. Score: the similarity, higher is more in scope.
/// </summary>
sealed class TopicKind(DetectionServices? services) : DetectorKind("input.topic", 1,
    "The input is about one of the supported topics.", services,
    new("topics", ReferenceRows.Type, "Example inputs with their topics: objects {topic, text}; on the command line a JSONL or CSV file.",
        "keywords only"),
    new("keywords", "object: topic to list of words", "Words or phrases that put an input in scope by themselves.", "none"),
    new("calibration", ReferenceRows.Type, "Inputs in scope apart from `topics`: they set the threshold.",
        "the topics' own rows, each against the others"),
    new("false_alarms", "number", "Nominal share of inputs in scope that fail.", "0.05"),
    new("min_similarity", "number", "A fixed threshold instead of the calibrated one.", "calibrated; 0.2 where there are too few texts"),
    new("text_field", "text", "Field of the rows that holds the text.", "text"),
    new("topic_field", "text", "Field of the rows that holds the topic.", "topic, label or intent"))
{
    /// <summary>Where there are too few texts to calibrate; from CLINC150 with ten texts of each of three topics.</summary>
    public const double DefaultSimilarity = 0.2;

    const string Remedy = "give at least two example inputs of each topic, better ten, or keywords.";

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version, DetectionServices services)
    {
        var rows = ReferenceRows.Read(read, "topics", services);
        var keywords = Keywords(read);
        if (rows is null && keywords.Count == 0)
            throw read.Missing("topics", Remedy);
        if (rows is { Count: 0 })
            throw read.Wrong("topics", $"is empty: {Remedy}");
        if (rows?.FirstOrDefault(row => string.IsNullOrWhiteSpace(row.Topic)) is { Text: { } nameless })
            throw read.Wrong("topics",
                $"has a row without a topic ({Quote.Short(nameless)}): give each row a `topic`, or name its field with `topic_field`.");
        foreach (var topic in rows?.GroupBy(row => row.Topic!) ?? [])
            if (topic.Count() == 1 && !keywords.Any(keyword => keyword.Topic == topic.Key))
                throw read.Wrong("topics", $"has one text for {Quote.Short(topic.Key)}, from which no similarity can be learned: {Remedy}");
        var falseAlarms = read.Number("false_alarms", 0.001, 0.5) ?? 0.05;
        var fixedAt = read.Number("min_similarity", 0, 1);
        if (fixedAt is not null && rows is null)
            throw read.Wrong("min_similarity", "has no texts to be similar to: give `topics`.");
        return new TopicValidator(
            version, context, services.Embedder, rows ?? [], keywords, falseAlarms, fixedAt,
            ReferenceRows.Calibration(read, services, falseAlarms));
    }

    static List<(string Topic, string Word)> Keywords(ValidatorSettings read)
    {
        if (read.Json("keywords") is not { } value)
            return [];
        const string Shape = "must be an object such as {\"billing\": [\"invoice\", \"refund\"]}.";
        if (value.ValueKind != JsonValueKind.Object)
            throw read.Wrong("keywords", Shape);
        var keywords = new List<(string, string)>();
        foreach (var topic in value.EnumerateObject())
        {
            JsonElement[] words = topic.Value.ValueKind == JsonValueKind.Array ? [.. topic.Value.EnumerateArray()] : [topic.Value];
            if (words.Length == 0)
                throw read.Wrong("keywords", $"of {Quote.Short(topic.Name)} is an empty list: give words, or remove the topic.");
            foreach (var word in words)
                keywords.Add((topic.Name, word.ValueKind != JsonValueKind.String ? throw read.Wrong("keywords", Shape)
                    : word.GetString() is { } text && text.Any(char.IsLetterOrDigit) ? text.Trim()
                    : throw read.Wrong("keywords",
                        $"of {Quote.Short(topic.Name)} holds an empty word, which every input contains: remove it.")));
        }
        return keywords.Count > 0 ? keywords : throw read.Wrong("keywords", "is empty: give words, or leave it out.");
    }

    /// <summary>Whether a false-alarm rate can be held with so many texts.</summary>
    internal static bool CanCalibrate(int texts, double falseAlarms) => texts >= Math.Max(40, ConformalCalibration.Needed(falseAlarms));

    internal static string Percent(double rate) => (100 * rate).ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
