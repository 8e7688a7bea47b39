using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Validators.Detection;

/// <summary>Fails inputs unlike the approved ones of the node. Score: 1 - mean similarity to the nearest, higher is stranger.</summary>
sealed class AnomalyKind(DetectionServices? services) : DetectorKind("input.anomaly", 1,
    "The input resembles the approved inputs of the node.", services,
    new("reference", ReferenceRows.Type, "Ordinary inputs; on the command line a JSONL or CSV file.",
        "the reference that people approved for this metric"),
    new("calibration", ReferenceRows.Type, "Ordinary inputs apart from the reference: they set the threshold.",
        "the reference's own rows, each against the others"),
    new("false_alarms", "number", "Nominal share of ordinary inputs that fail.", "0.05"),
    new("neighbours", "integer", "Over how many of the nearest inputs the similarity is averaged.", "5"),
    new("text_field", "text", "Field of the rows that holds the text.", "text")),
    ILearningKind
{
    public const int DefaultNeighbours = 5;
    public const double DefaultFalseAlarms = 0.05;

    public int? ReferenceNeeded(JsonElement settings) => Needed(
        StoredSetting.Number(settings, "false_alarms", DefaultFalseAlarms),
        (int)StoredSetting.Number(settings, "neighbours", DefaultNeighbours));

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version, DetectionServices services)
    {
        var falseAlarms = read.Number("false_alarms", 0.001, 0.5) ?? DefaultFalseAlarms;
        var neighbours = read.Integer("neighbours", 1, 50) ?? DefaultNeighbours;
        var rows = ReferenceRows.Read(read, "reference", services);
        var needed = Needed(falseAlarms, neighbours);
        if (rows is not null && rows.Count < needed)
            throw read.Wrong("reference",
                $"has {rows.Count} rows; {neighbours} neighbours at a false-alarm rate of "
                    + $"{falseAlarms.ToString(CultureInfo.InvariantCulture)} need at least {needed}: give more, or raise `false_alarms`.");
        if (rows is null && (services.References is null))
            throw read.Missing("reference", "give ordinary inputs, or approve a reference of the project's own traffic.");
        var given = rows is null ? null : new ReferenceSet("", [.. rows.Select(row => row.Text)]);
        return new AnomalyValidator(
            version, context, services, given, falseAlarms, neighbours, ReferenceRows.Calibration(read, services, falseAlarms));
    }

    public static int Needed(double falseAlarms, int neighbours) =>
        Math.Max(Math.Max(40, ConformalCalibration.Needed(falseAlarms)), 2 * neighbours);
}
