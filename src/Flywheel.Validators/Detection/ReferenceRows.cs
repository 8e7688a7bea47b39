using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Validators.Detection;

/// <param name="Topic">Null when the row has none.</param>
readonly record struct ReferenceRow(string Text, string? Topic);

/// <summary>Reads the texts that a setting gives: a JSON list, or the name of a file where files may be named.</summary>
static class ReferenceRows
{
    public const int MaxRows = 100_000;
    public const string Type = "rows or file";

    static readonly string[] TopicFields = ["topic", "label", "intent"];

    /// <summary>Null when the setting is not given.</summary>
    public static IReadOnlyList<ReferenceRow>? Read(ValidatorSettings read, string name, DetectionServices services)
    {
        if (read.Json(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 1 && value[0].ValueKind == JsonValueKind.String
            && IsFile(value[0].GetString()!))
            value = value[0];
        if (value.ValueKind == JsonValueKind.String)
            return FromText(read, name, value.GetString()!, services);
        if (value.ValueKind != JsonValueKind.Array)
            throw read.Wrong(name, "must be a list of texts or of objects such as {\"topic\": \"billing\", \"text\": \"...\"}.");
        return Rows(read, name, value.EnumerateArray());
    }

    /// <summary>The setting <c>calibration</c>; null when it is not given.</summary>
    public static IReadOnlyList<string>? Calibration(ValidatorSettings read, DetectionServices services, double falseAlarms)
    {
        var rows = Read(read, "calibration", services);
        var needed = Math.Max(40, ConformalCalibration.Needed(falseAlarms));
        return rows is null || rows.Count >= needed
            ? rows?.Select(row => row.Text).ToArray()
            : throw read.Wrong("calibration",
                $"has {rows.Count} rows and needs at least {needed} for this `false_alarms`: give more, or leave it out.");
    }

    static List<ReferenceRow> FromText(ValidatorSettings read, string name, string text, DetectionServices services)
    {
        if (text.TrimStart().StartsWith('['))
        {
            var list = StrictJson.Parse(text, out var problem) ?? throw read.Wrong(name, $"is no JSON: {problem}.");
            return Rows(read, name, list.EnumerateArray());
        }
        if (services.ReadRows is not { } file)
            throw read.Wrong(name,
                "names a file, which works on the command line only: give the rows themselves, or leave it out and approve a reference of "
                    + "the project's own traffic.");
        try
        {
            return Rows(read, name, file(text.TrimStart('@')));
        }
        catch (Exception error) when (error is FlywheelException or IOException or UnauthorizedAccessException)
        {
            throw read.Wrong(name, $"cannot be read: {error.Message}");
        }
    }

    static List<ReferenceRow> Rows(ValidatorSettings read, string name, IEnumerable<JsonElement> items)
    {
        var (textField, topicField) = (read.Text("text_field") ?? "text", read.Text("topic_field"));
        var rows = new List<ReferenceRow>();
        foreach (var item in items)
        {
            var row = rows.Count + 1;
            if (row > MaxRows)
                throw read.Wrong(name, $"has more than {MaxRows:N0} rows: give a sample of them.");
            var text = item.ValueKind switch
            {
                JsonValueKind.String => item.GetString(),
                JsonValueKind.Object =>
                    Field(item, textField)
                        ?? throw read.Wrong(name, $"row {row} has no text in `{textField}`: name the field with `text_field`."),
                _ => throw read.Wrong(name, $"row {row} is neither a text nor an object."),
            };
            if (string.IsNullOrWhiteSpace(text))
                throw read.Wrong(name, $"row {row} is empty: remove it.");
            var topic = item.ValueKind == JsonValueKind.Object
                ? topicField is not null ? Field(item, topicField) : TopicFields.Select(field => Field(item, field))
                .FirstOrDefault(found => found is not null)
                : null;
            rows.Add(new(text, topic));
        }
        return rows;
    }

    static string? Field(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    static bool IsFile(string text) =>
        text.StartsWith('@') || text.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)
            || text.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Reference rows in one state.</summary>
/// <param name="Version">Changes whenever the rows do.</param>
public sealed record ReferenceSet(string Version, IReadOnlyList<string> Texts);
