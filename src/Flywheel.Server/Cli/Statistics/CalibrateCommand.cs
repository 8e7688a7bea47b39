using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Flywheel.Core;
using Flywheel.Core.Statistics;
using Spectre.Console;

namespace Flywheel.Server.Cli.Statistics;

/// <summary>What a judge's confidence is worth, and from where on its verdicts may stand without a person; from a plain file.</summary>
static class CalibrateCommand
{
    /// <param name="Weight">Per <paramref name="Deviation"/> of the input away from its <paramref name="Mean"/>.</param>
    sealed record Input(string Name, double Weight, double Mean, double Deviation);

    /// <summary>P(agree) = logistic(intercept + sum of weight * (input - mean) / deviation).</summary>
    sealed record Calibrator(string Kind, double Intercept, IReadOnlyList<Input> Inputs);

    sealed record Scores(double? Brier, double? LogLoss, double? Ece, double? Aurc, double? Auroc)
    {
        public static Scores Of(CalibrationScores? scores) => new(scores?.Brier, scores?.LogLoss, scores?.Ece, scores?.Aurc, scores?.Auroc);
    }

    sealed record AtRisk(double Risk, double Raw, double Calibrated);

    sealed record FeatureLine(double? Threshold, int? LabelsNeeded, double Coverage, Calibrator Calibrator);

    sealed record Answer(
        Calibrator Calibrator, double? Brier, double? LogLoss, double? Ece, double? Aurc, double? Auroc, double Alpha, double Delta,
        double? Threshold, int? LabelsNeeded, double Coverage, double? RiskBound,
        [property: JsonPropertyName("n")] int Labels,
        [property: JsonPropertyName("N")] int Judged,
        int Errors, int Unparsable, Scores Raw, IReadOnlyDictionary<string, Scores> Calibrators, IReadOnlyList<AtRisk> CoverageAtRisk,
        FeatureLine? WithFeatures, string? Note);

    public static Command Create()
    {
        var input = new Option<string>("--in") { Description = "JSONL or CSV rows {confidence: 0 to 1, judge: true|false|null, human: true|false|null, features?: {name: number}}", Required = true };
        var alpha = new Option<double>("--alpha") { Description = "Share of verdicts above the threshold that people may disagree with", DefaultValueFactory = _ => 0.1 };
        var delta = new Option<double>("--delta") { Description = "Chance that this promise is broken", DefaultValueFactory = _ => 0.1 };
        var json = CommonOptions.Json();
        var command = new Command("calibrate", "How far a judge's confidence can be trusted, and the threshold above which its verdicts agree with people")
            { input, alpha, delta, json };
        command.SetAction(parsed =>
        {
            var risk = Share(parsed.GetValue(alpha), "--alpha");
            var chance = Share(parsed.GetValue(delta), "--delta");
            var (rows, names, unparsable, uneven) = Read(parsed.GetValue(input)!);
            var report = CalibrationReport.Of(rows, risk, chance);
            var answer = Of(report, names, risk, chance, unparsable, uneven);
            if (parsed.GetValue(json))
                Output.JsonLine(answer);
            else
                Show(answer);
            return Cli.Ok;
        });
        return command;
    }

    static double Share(double value, string option) =>
        value is > 0 and < 1 ? value : throw new UsageException($"{option} is {value.ToString(CultureInfo.InvariantCulture)}: give a number between 0 and 1, such as 0.1.");

    static (List<CalibrationRow> Rows, string[] Features, int Unparsable, bool Uneven) Read(string path)
    {
        var fields = new Fields(path);
        string[]? names = null;
        var propensities = new HashSet<double>();
        var rows = fields.Read((line, row) =>
        {
            var judge = fields.Flag(row, "judge", line, required: true, "where the judge's answer could not be read");
            var human = fields.Flag(row, "human", line, required: false, "where nobody labelled the row");
            var confidence = fields.Number(row, "confidence", line, required: judge is not null, share => share is >= 0 and <= 1, "from 0 to 1");
            if (fields.Number(row, "propensity", line, required: false, share => share is > 0 and <= 1, "above 0 and at most 1") is { } propensity && human is not null)
                propensities.Add(propensity);
            if (judge is not { } verdict)
                return null;
            names ??= Names(fields, row, line);
            return new CalibrationRow(confidence ?? throw fields.Missing(line, "confidence"), verdict, human, Features(fields, row, names, line));
        });
        return ([.. rows.OfType<CalibrationRow>()], names ?? [], rows.Count(row => row is null), propensities.Count > 1);
    }

    static string[] Names(Fields fields, JsonElement row, int line)
    {
        if (!row.TryGetProperty("features", out var features) || features.ValueKind == JsonValueKind.Null)
            return [];
        return features.ValueKind == JsonValueKind.Object
            ? [.. features.EnumerateObject().Select(feature => feature.Name)]
            : throw fields.Wrong(line, "features", features, "write an object of numbers, such as {\"length\": 12}");
    }

    static double[] Features(Fields fields, JsonElement row, string[] names, int line)
    {
        var own = Names(fields, row, line);
        if (own.Length != names.Length || names.Except(own, StringComparer.Ordinal).Any())
            throw new FlywheelException(
                $"{fields.Path}, line {line}: `features` has {(own.Length == 0 ? "nothing" : string.Join(", ", own))}, earlier rows have {(names.Length == 0 ? "none" : string.Join(", ", names))}: give every row the same features.");
        return names.Length == 0
            ? []
            : [.. names.Select(name => fields.Number(row.GetProperty("features"), name, line, required: true, _ => true, "(features are numbers)", "features.")
                ?? throw fields.Missing(line, "features." + name))];
    }

    static Answer Of(CalibrationReport it, string[] names, double alpha, double delta, int unparsable, bool uneven)
    {
        var scores = it.Calibrated;
        var raw = it.OutOfSample.Count > 0;
        var notes = new List<string>();
        if (it.Threshold.Threshold is null)
            notes.Add(it.Threshold.LabelsNeeded is { } needed
                ? $"not enough labels: about {needed} more for this promise"
                : "more labels will hardly help: people disagree too often at every level of confidence; allow a larger --alpha, or use a better judge");
        if (uneven)
            notes.Add("the labelled rows were drawn with different propensities; the promise is for traffic like the labelled rows");
        return new Answer(
            Describe(it.Fit, it.Kind, names), scores?.Brier, scores?.LogLoss, scores?.Ece, scores?.Aurc, scores?.Auroc, alpha, delta,
            it.Threshold.Threshold, it.Threshold.LabelsNeeded, it.Coverage, it.Threshold.RiskBound, it.Labels, it.Rows + unparsable, it.Errors, unparsable,
            Scores.Of(it.Raw), it.Others.ToDictionary(one => Name(one.Key), one => Scores.Of(one.Value)),
            raw ? [.. new[] { 0.05, 0.10, 0.15 }.Select(risk => new AtRisk(
                risk, CalibrationScores.CoverageAtRisk(it.RawPoints, risk), CalibrationScores.CoverageAtRisk(it.OutOfSample, risk)))] : [],
            it.FeatureThreshold is { } line && it.FeatureFit is { } fit
                ? new FeatureLine(line.Threshold, Doubled(line.LabelsNeeded), it.FeatureCoverage, Describe(fit, CalibratorKind.RidgePlatt, names))
                : null,
            notes.Count > 0 ? string.Join("; ", notes) : null);
    }

    /// <summary>Every second label goes to the fit, so the threshold's need counts twice.</summary>
    static int? Doubled(int? needed) => needed is { } labels ? (int)Math.Min(int.MaxValue, 2L * labels) : null;

    static Calibrator Describe(RidgePlatt fit, CalibratorKind kind, string[] names)
    {
        string[] inputs = ["log-odds of confidence", .. fit.UsesVerdict ? ["judge"] : Array.Empty<string>(), .. fit.UsesFeatures ? names : []];
        return new Calibrator(Name(kind), fit.Intercept, [.. inputs.Select((name, i) => new Input(name, fit.Weights[i], fit.Scaling[i].Mean, fit.Scaling[i].Deviation))]);
    }

    static string Name(CalibratorKind kind) => kind switch
    {
        CalibratorKind.RidgePlatt => "ridge-platt",
        CalibratorKind.VennAbers => "venn-abers",
        _ => "isotonic",
    };

    static void Show(Answer answer)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{answer.Labels:N0} labels of people (n) on {answer.Judged:N0} verdicts (N){(answer.Unparsable > 0 ? $", {answer.Unparsable:N0} of them unreadable" : "")}; people disagreed with {answer.Errors:N0}."));
        var table = new Table().Border(TableBorder.Simple).AddColumns("", "calibrated", "as it came", "what it means");
        Row("Brier", answer.Brier, answer.Raw.Brier, "mean squared error of the confidence; less is better");
        Row("log-loss", answer.LogLoss, answer.Raw.LogLoss, "surprise at what people said; less is better");
        Row("AURC", answer.Aurc, answer.Raw.Aurc, "mean error rate of the most confident verdicts; less is better");
        Row("AUROC", answer.Auroc, answer.Raw.Auroc, "chance that an agreed verdict is more confident than an error");
        Row("ECE", answer.Ece, answer.Raw.Ece, "gap between confidence and agreement; low for a constant too");
        Output.People.Write(table);
        Console.WriteLine(answer.Threshold is { } threshold
            ? string.Create(CultureInfo.InvariantCulture,
                $"Confidence of at least {threshold:0.###}: verdicts agree with people at least {100 * (1 - answer.Alpha):0.#} % of the time, with confidence {100 * (1 - answer.Delta):0.#} %. That is {100 * answer.Coverage:0.#} % of the verdicts.")
            : string.Create(CultureInfo.InvariantCulture,
                $"No threshold keeps {100 * (1 - answer.Alpha):0.#} % agreement with confidence {100 * (1 - answer.Delta):0.#} %."));
        if (answer.WithFeatures is { Threshold: { } line } with)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"With the features, half of the labels to fit and half to test: calibrated confidence of at least {line:0.###}, {100 * with.Coverage:0.#} % of the verdicts."));
        if (answer.Note is { } note)
            Console.WriteLine($"Note: {note}.");

        void Row(string name, double? calibrated, double? raw, string meaning) => table.AddRow(name, Number(calibrated), Number(raw), meaning);
    }

    static string Number(double? value) => value is { } number ? number.ToString("0.000", CultureInfo.InvariantCulture) : "-";
}
