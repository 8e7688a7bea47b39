using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Validators.Detection.Adversarial;

namespace Flywheel.Validators.Detection;

/// <summary>
/// Fails inputs that try to take the model over. Score: 0 to 1, higher is more like an attack; 0.5 is the shipped threshold.
/// </summary>
sealed class AdversarialKind(DetectionServices? services) : DetectorKind("input.adversarial", 1,
    "The input does not try to override instructions, extract prompts or jailbreak the model.", services,
    new("threshold", "number", "Score from which an input fails, 0 to 1.", "0.5, or the reference's"),
    new("reference", ReferenceRows.Type, "Ordinary inputs of your own, from which the threshold is learned.",
        "the project's approved reference, else the shipped threshold"),
    new("false_alarms", "number", "Nominal share of ordinary inputs that fail, when there is a reference.", "0.005"),
    new("off", "text or list of texts", "Ids of rules to leave out.", "none"),
    new("attempts", "integer", "So many suspicious inputs of one user or session within `minutes`, and the next one fails; 0 for never.",
        "3"),
    new("minutes", "integer", "How long an attempt is remembered.", "10"),
    new("model", "text", "File of weights trained by `flywheel models train-adversarial`; command line only.", "the shipped weights"),
    new("text_field", "text", "Field of the reference's rows that holds the text.", "text")),
    ILearningKind
{
    public const double DefaultFalseAlarms = 0.005;

    public int? ReferenceNeeded(JsonElement settings) =>
        ConformalCalibration.Needed(StoredSetting.Number(settings, "false_alarms", DefaultFalseAlarms));

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version, DetectionServices services)
    {
        var off = read.Texts("off").ToHashSet(StringComparer.Ordinal);
        if (off.FirstOrDefault(id => AttackRules.All.All(rule => rule.Id != id)) is { } unknown)
            throw read.Wrong("off",
                $"names `{unknown}`, which is no rule.{NearMiss.Hint(unknown, AttackRules.All.Select(rule => rule.Id))}");
        var falseAlarms = read.Number("false_alarms", 0.0001, 0.2) ?? DefaultFalseAlarms;
        var threshold = read.Number("threshold", 0.01, 0.999999);
        var needed = ConformalCalibration.Needed(falseAlarms);
        var rows = ReferenceRows.Read(read, "reference", services);
        if (rows is not null && threshold is not null)
            throw read.Wrong("threshold", "stands beside `reference`: give one of them.");
        if (rows is not null && rows.Count < needed)
            throw read.Wrong("reference",
                $"has {rows.Count} rows; a false-alarm rate of {falseAlarms.ToString(CultureInfo.InvariantCulture)} needs at least "
                    + $"{needed}: give more, or raise `false_alarms`.");
        var attempts = read.Integer("attempts", 0, 100) ?? 3;
        var model = Model(read, services);
        var scoring = new AttackScoring(model, off);
        return new AdversarialValidator(
            $"{version}-{model.Version}-r{AttackRules.Version}", context, scoring, threshold, falseAlarms,
            rows?.Select(row => row.Text).ToArray(),
            attempts == 0 ? null : new RepeatedAttempts(
                attempts, TimeSpan.FromMinutes(read.Integer("minutes", 1, 1440) ?? 10), services.Clock), services.References);
    }

    /// <summary>The validator with shipped settings and given weights, for studies.</summary>
    public static IValidator For(AttackModel model) => new AdversarialValidator(
        model.Version, new("input.adversarial", "", MetricSubject.Input), new(model, new HashSet<string>()), null, DefaultFalseAlarms, null,
        null, null);

    static AttackModel Model(ValidatorSettings read, DetectionServices services)
    {
        if (read.Text("model") is not { } path)
            return AttackModel.Shipped;
        if (services.ReadRows is null)
            throw read.Wrong("model", "names a file, which works on the command line only.");
        try
        {
            using var file = File.OpenRead(path);
            return AttackModel.Read(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw read.Wrong("model", $"cannot be read: {error.Message}");
        }
    }
}
