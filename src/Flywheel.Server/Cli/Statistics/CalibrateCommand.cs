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
    const int MostFeatures = 50;

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
        int Errors, int Unparsable, int Picked, Scores Raw, IReadOnlyDictionary<string, Scores> Calibrators,
        IReadOnlyList<AtRisk> CoverageAtRisk,
        FeatureLine? WithFeatures, string? Note);

    public static Command Create()
    {
        var input = new Option<string>(
            "--in") { Description =
                "JSONL or CSV rows {confidence: 0 to 1, judge: true|false|null, human: true|false|null, propensity?, features?: {name: "
                    + "number}}", Required = true };
        var alpha = new Option<double>(
            "--alpha") { Description = "Maximum share of verdicts above the threshold that people disagree with", DefaultValueFactory = _ =>
                0.1 };
        var delta = new Option<double>(
            "--delta") { Description = "Probability that this limit is exceeded", DefaultValueFactory = _ => 0.1 };
        var json = CommonOptions.Json();
        var command = new Command(
            "calibrate", "Calibrate the confidence of a judge and find the threshold above which its verdicts agree with people")
            { input, alpha, delta, json };
        command.SetAction(parsed =>
        {
            var risk = Share(parsed.GetValue(alpha), "--alpha");
            var chance = Share(parsed.GetValue(delta), "--delta");
            var content = Read(parsed.GetValue(input)!);
            var answer = Of(CalibrationReport.Of(content.Rows, risk, chance), content, risk, chance);
            if (parsed.GetValue(json))
                Output.JsonLine(answer);
            else
                Show(answer);
            return ExitCodes.Ok;
        });
        return command;
    }

    static double Share(double value, string option) =>
        value is > 0 and < 1 ? value : throw new UsageException(
            $"{option} is {value.ToString(CultureInfo.InvariantCulture)}: give a number between 0 and 1, such as 0.1.");

    /// <param name="Incomplete">Rows that lack a feature which others have: it is taken at its mean.</param>
    sealed record Content(IReadOnlyList<CalibrationRow> Rows, string[] Features, int Unparsable, int Picked, int Incomplete)
    {
        public bool Uneven => Rows.Where(row => row.Human is not null).Select(row => row.Weight).Distinct().Count() > 1;
    }

    static Content Read(string path)
    {
        var fields = new Fields(path);
        var drawn = false;
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        var read = fields.Read((line, row) =>
        {
            var judge = fields.Flag(row, "judge", line, required: true, "where the judge's answer could not be read");
            var human = fields.Flag(row, "human", line, required: false, "where nobody labelled the row");
            var confidence = fields.Number(
                row, "confidence", line, required: judge is not null, share => share is >= 0 and <= 1, "from 0 to 1");
            var propensity = fields.Number(
                row, "propensity", line, required: false, share => share is > 0 and <= 1, "above 0 and at most 1");
            drawn |= propensity is not null;
            return judge is not { } verdict
                ? null
                : new CalibrationRow(
                    confidence ?? throw fields.Missing(line, "confidence"), verdict, human, Features(fields, row, names, line),
                    propensity is { } chance ? 1 / chance : 0);
        });
        var rows = read.OfType<CalibrationRow>().ToArray();
        // As in `estimate`: where chances were kept, a label without one was picked for what it is.
        var picked = drawn ? rows.Count(row => row is { Human: not null, Weight: 0 }) : 0;
        var means = Enumerable.Range(0, names.Count)
            .Select(i => rows.Select(row => At(row, i)).Where(double.IsFinite).DefaultIfEmpty().Average()).ToArray();
        var incomplete = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            if (means.Length > 0 && Enumerable.Range(0, means.Length).Any(j => double.IsNaN(At(row, j))))
            {
                row = row with { Features = [.. means.Select((mean, j) => At(row, j) is var own && double.IsNaN(own) ? mean : own)] };
                incomplete++;
            }
            rows[i] = !drawn ? row with { Weight = 1 } : row.Weight > 0 ? row : row with { Human = null, Weight = 1 };
        }
        return new Content(rows, [.. names.OrderBy(name => name.Value).Select(name => name.Key)], read.Count - rows.Length, picked,
            incomplete);

        static double At(CalibrationRow row, int feature) => feature < row.Features.Count ? row.Features[feature] : double.NaN;
    }

    /// <summary>By the place of each name among all names seen so far; NaN for one that is null or left out.</summary>
    static double[] Features(Fields fields, JsonElement row, Dictionary<string, int> names, int line)
    {
        if (!row.TryGetProperty("features", out var features) || features.ValueKind == JsonValueKind.Null)
            return [];
        // CSV has no objects: an empty field is none.
        if (features.ValueKind == JsonValueKind.String && features.GetString()!.Length == 0)
            return [];
        IEnumerable<(string Name, JsonElement Value)> own = features.ValueKind switch
        {
            JsonValueKind.Object => features.EnumerateObject().Select(feature => (feature.Name, feature.Value)),
            JsonValueKind.Array => features.EnumerateArray().Select((value, i) => ($"{i + 1}", value)),
            _ => throw fields.Wrong(line, "features", features, "write an object of numbers, such as {\"length\": 12}, or a list of them"),
        };
        var found = new List<double>(names.Count);
        foreach (var (name, value) in own)
        {
            if (!names.TryGetValue(name, out var place))
                names[name] = place = names.Count < MostFeatures
                    ? names.Count
                    : throw new FlywheelException(
                        $"{fields.Path}, line {line}: `features` has more than {MostFeatures} different names: a fit needs many labels "
                            + "for each, so keep the few that may tell of errors.");
            while (found.Count <= place)
                found.Add(double.NaN);
            found[place] = value.ValueKind switch
            {
                JsonValueKind.Null => double.NaN,
                JsonValueKind.True => 1,
                JsonValueKind.False => 0,
                JsonValueKind.Number when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
                _ => throw fields.Wrong(
                    line, "features." + name, value, "write a number (true and false count as 1 and 0), or null where it is not known"),
            };
        }
        return [.. found];
    }

    static Answer Of(CalibrationReport it, Content content, double alpha, double delta)
    {
        var (names, unparsable, picked) = (content.Features, content.Unparsable, content.Picked);
        var scores = it.Calibrated;
        var raw = it.OutOfSample.Count > 0;
        var notes = new List<string>();
        if (it.Threshold.Threshold is null)
            notes.Add(it.Threshold.LabelsNeeded is { } needed
                ? $"not enough labels: about {needed} more for this promise"
                : "more labels will hardly help: people disagree too often at every level of confidence; allow a larger --alpha, or use a "
                + "better judge");
        if (content.Uneven)
            notes.Add("labels were drawn with different propensities: each counts 1 / propensity, all of them at their effective number");
        if (content.Incomplete > 0)
            notes.Add($"{content.Incomplete} rows lack a feature that others have: it is taken at its mean");
        if (picked > 0)
            notes.Add($"{picked} labels have no propensity while others have: they count as picked, not drawn, and are left out");
        return new Answer(
            Describe(it.Fit, it.Kind, names), scores?.Brier, scores?.LogLoss, scores?.Ece, scores?.Aurc, scores?.Auroc, alpha, delta,
            it.Threshold.Threshold, it.Threshold.LabelsNeeded, it.Coverage, it.Threshold.RiskBound, it.Labels, it.Rows + unparsable,
            it.Errors, unparsable, picked,
            Scores.Of(it.Raw), it.Others.ToDictionary(one => Name(one.Key), one => Scores.Of(one.Value)),
            raw ? [.. new[] { 0.05, 0.10, 0.15 }.Select(risk => new AtRisk(
                risk, CalibrationScores.CoverageAtRisk(it.RawPoints, risk), CalibrationScores.CoverageAtRisk(it.OutOfSample, risk)))] : [],
            it.FeatureThreshold is { } line && it.FeatureFit is { } fit
                ? new FeatureLine(line.Threshold, Doubled(line.LabelsNeeded), it.FeatureCoverage,
                    Describe(fit, CalibratorKind.RidgePlatt, names))
                : null,
            notes.Count > 0 ? string.Join("; ", notes) : null);
    }

    /// <summary>Every second label goes to the fit, so the threshold's need counts twice.</summary>
    static int? Doubled(int? needed) => needed is { } labels ? (int)Math.Min(int.MaxValue, 2L * labels) : null;

    static Calibrator Describe(RidgePlatt fit, CalibratorKind kind, string[] names)
    {
        string[] inputs = ["log-odds of confidence", .. fit.UsesVerdict ? ["judge"] : Array.Empty<string>(),
            .. fit.UsesFeatures ? names : []];
        return new Calibrator(
            Name(kind), fit.Intercept,
            [.. inputs.Select((name, i) => new Input(name, fit.Weights[i], fit.Scaling[i].Mean, fit.Scaling[i].Deviation))]);
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
            $"{answer.Labels:N0} labels of people (n) on {answer.Judged:N0} verdicts "
                + $"(N){(answer.Unparsable > 0 ? $", {answer.Unparsable:N0} of them unreadable" : "")}; people disagreed with "
                + $"{answer.Errors:N0}."));
        var table = new Table().Border(TableBorder.Simple).AddColumns("", "calibrated", "as it came", "what it means");
        Row("Brier", answer.Brier, answer.Raw.Brier, "mean squared error of the confidence; less is better");
        Row("log-loss", answer.LogLoss, answer.Raw.LogLoss, "surprise at what people said; less is better");
        Row("AURC", answer.Aurc, answer.Raw.Aurc, "mean error rate of the most confident verdicts; less is better");
        Row("AUROC", answer.Auroc, answer.Raw.Auroc, "chance that an agreed verdict is more confident than an error");
        Row("ECE", answer.Ece, answer.Raw.Ece, "gap between confidence and agreement; low for a constant too");
        Output.People.Write(table);
        Console.WriteLine(answer.Threshold is { } threshold
            ? string.Create(CultureInfo.InvariantCulture,
                $"Confidence of at least {threshold:0.###}: verdicts agree with people at least {100 * (1 - answer.Alpha):0.#} % of the "
                    + $"time, with confidence {100 * (1 - answer.Delta):0.#} %. That is {100 * answer.Coverage:0.#} % of the verdicts.")
            : string.Create(CultureInfo.InvariantCulture,
                $"No threshold keeps {100 * (1 - answer.Alpha):0.#} % agreement with confidence {100 * (1 - answer.Delta):0.#} %."));
        if (answer.WithFeatures is { Threshold: { } line } with)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"With the features, half of the labels to fit and half to test: calibrated confidence of at least {line:0.###}, "
                    + $"{100 * with.Coverage:0.#} % of the verdicts."));
        if (answer.Note is { } note)
            Console.WriteLine($"Note: {note}.");

        void Row(string name, double? calibrated, double? raw, string meaning) =>
            table.AddRow(name, Number(calibrated), Number(raw), meaning);
    }

    static string Number(double? value) => value is { } number ? number.ToString("0.000", CultureInfo.InvariantCulture) : "-";
}
