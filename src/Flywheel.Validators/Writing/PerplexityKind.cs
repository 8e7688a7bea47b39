using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Validators.Detection;

namespace Flywheel.Validators.Writing;

/// <summary>Fails outputs unlike the approved ones. Score: bits a character under their n-gram model, higher is stranger.</summary>
/// <remarks>The threshold is conformal, on the approved outputs themselves, each measured without itself and its neighbours in the
/// list.</remarks>
sealed class PerplexityKind(DetectionServices? services) : ValidatorKind(
    "writer.perplexity", 1, "The text is written like the approved outputs of the node.",
    new("reference", ReferenceRows.Type, "Approved outputs; on the command line a JSONL or CSV file.",
        "the reference that people approved for this metric"),
    new("false_alarms", "number", "Nominal share of approved outputs that fail.", "0.05"),
    new("min_characters", "integer", "Shorter texts are unsure.", "40"),
    new("text_field", "text", "Field of the rows that holds the text.", "text")),
    ILearningKind
{
    public const double DefaultFalseAlarms = 0.05;

    public int? ReferenceNeeded(JsonElement settings) => Needed(StoredSetting.Number(settings, "false_alarms", DefaultFalseAlarms));

    public override IReadOnlySet<MetricSubject> Subjects => OutputOnly;
    public override bool CanGuard => false;

    /// <summary>The fewest approved outputs.</summary>
    public static int Needed(double falseAlarms) => Math.Max(40, ConformalCalibration.Needed(falseAlarms));

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var falseAlarms = read.Number("false_alarms", 0.001, 0.5) ?? DefaultFalseAlarms;
        var least = read.Integer("min_characters", 1, 10_000) ?? 40;
        var source = services
            ?? new DetectionServices(() => throw new InvalidOperationException("No embedder is needed here."), TimeProvider.System);
        var rows = ReferenceRows.Read(read, "reference", source);
        if (rows is null && source.References is null)
            throw read.Missing("reference", "give approved outputs, or approve a reference of the project's own traffic.");
        if (rows is not null && rows.Count < Needed(falseAlarms))
            throw read.Wrong("reference",
                $"has {rows.Count} rows; a false-alarm rate of {falseAlarms.ToString(CultureInfo.InvariantCulture)} needs at least "
                    + $"{Needed(falseAlarms)}: give more, or raise `false_alarms`.");
        return new PerplexityValidator(
            version, context, source.References, rows is null ? null : new("", [.. rows.Select(row => row.Text)]), falseAlarms, least);
    }
}

/// <summary>Compares with a reference that changes only when people approve another; its version is part of the validator's.</summary>
/// <param name="given">Of the settings; null for the approved one.</param>
sealed class PerplexityValidator(
    string version, ValidatorContext context, IApprovedReferences? references, ReferenceSet? given, double falseAlarms, int least)
        : IValidator
{
    const int MaxTexts = 2_000;
    const int MaxLength = 2_000;
    const int Folds = 10;

    readonly Lock _one = new();
    volatile Learned? _learned;

    sealed record Learned(string Version, OnceMade<(NgramModel Model, ConformalCalibration Calibration, int Count)> Made);

    public string Version => VersionWith(_learned?.Version ?? given?.Version);

    public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => (await DecideAsync(examinee, ct)).Finding;

    public async ValueTask<Decision> DecideAsync(Examinee examinee, CancellationToken ct)
    {
        var reference = given
            ?? (context.Project is { } project ? await references!.CurrentAsync(project, context.MetricName, context.Subject, ct) : null);
        if (reference is null)
            return new(Finding.Skipped("no reference is approved yet: propose one from recent outputs, then approve it"), version);
        var named = VersionWith(reference.Version);
        if (examinee.Text is not { } text)
            return new(TextValidator.NothingToCheck(context.Subject, examinee), named);
        if (reference.Texts.Count < PerplexityKind.Needed(falseAlarms))
            return new(Finding.Skipped(
                $"only {reference.Texts.Count} approved outputs are left, and {PerplexityKind.Needed(falseAlarms)} are needed: propose a "
                    + "new reference"), named);
        var plain = Plain(text);
        if (plain.Length < least)
            return new(Finding.Unsure($"{plain.Length} characters, too few to tell how it is written"), named);

        var (model, calibration, count) = await Of(reference).Made.GetAsync(ct);
        var bits = Math.Round(model.BitsPerCharacter(plain), 4);
        var p = calibration.PValue(bits);
        var compared = string.Create(
            CultureInfo.InvariantCulture, $"{bits:0.00} bits a character under {count:N0} approved outputs; p = {p:0.####}");
        return new(p <= falseAlarms ? Finding.Fail($"unlike how we write: {compared}", bits) : Finding.Pass(bits, compared), named);
    }

    string VersionWith(string? reference) => string.IsNullOrEmpty(reference) ? version : $"{version}-{reference}";

    Learned Of(ReferenceSet reference)
    {
        if (_learned is { } now && now.Version == reference.Version)
            return now;
        lock (_one)
            return _learned = _learned is { } made && made.Version == reference.Version
                ? made
                : new(reference.Version, new(() => Task.FromResult(Learn(reference.Texts))));
    }

    /// <summary>
    /// Neighbours in the list are left out together, since they are often about one matter; of many texts, evenly spaced ones are learned.
    /// </summary>
    static (NgramModel, ConformalCalibration, int) Learn(IReadOnlyList<string> all)
    {
        var step = Math.Max(1, (double)all.Count / MaxTexts);
        var texts = Enumerable.Range(0, Math.Min(all.Count, MaxTexts)).Select(i => Plain(all[(int)(i * step)]))
            .Where(text => text.Length > 0).ToArray();
        var model = new NgramModel();
        foreach (var text in texts)
            model.Add(text);
        var scores = new List<double>();
        foreach (var fold in texts.Chunk(Math.Max(1, (texts.Length + Folds - 1) / Folds)))
        {
            foreach (var text in fold)
                model.Remove(text);
            scores.AddRange(fold.Select(model.BitsPerCharacter));
            foreach (var text in fold)
                model.Add(text);
        }
        return (model, new(scores), texts.Length);
    }

    /// <summary>Runs of white space as one space, cut at <see cref="MaxLength"/>.</summary>
    static string Plain(string text)
    {
        var plain = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return plain.Length <= MaxLength ? plain : plain[..MaxLength];
    }
}
