using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using Flywheel.Core;
using Flywheel.Core.Statistics;
using Spectre.Console;

namespace Flywheel.Server.Cli.Statistics;

/// <summary>True rates from few human and many judge labels in a plain file.</summary>
static class EstimateCommand
{
    const string NoStratum = "(none)";

    /// <param name="Unparsable">Rows of N whose judge is null.</param>
    /// <param name="Picked">Labels without a propensity in a file with propensities: not counted in n.</param>
    /// <param name="LabelsNeeded">How many more labels until the intervals keep their promise; 0 when there are enough.</param>
    sealed record Answer(
        string? Stratum,
        Estimate PassRate,
        [property: JsonPropertyName("tpr")] Estimate TruePassRate,
        [property: JsonPropertyName("tnr")] Estimate TrueFailRate,
        Estimate Kappa, Estimate Agreement,
        [property: JsonPropertyName("n")] long Labels,
        [property: JsonPropertyName("N")] long Judged,
        long LabelledFails, long Unparsable, long Picked, string Method, Estimate JudgeOnly, Estimate HumanOnly, long LabelsNeeded,
        string? Note,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<Answer>? Strata = null);

    public static Command Create()
    {
        var input = new Option<string>(
            "--in") { Description = "JSONL or CSV rows {judge: true|false|null, human: true|false|null, propensity?}", Required = true };
        var stratum = new Option<string?>("--stratum") { Description = "Field that divides the rows into slices with rates of their own" };
        var json = CommonOptions.Json();
        var command = new Command(
            "estimate", "Estimate the true pass rate and the quality of a judge from few labels of people and many verdicts")
            { input, stratum, json };
        command.SetAction(parsed =>
        {
            var field = parsed.GetValue(stratum);
            var rows = Read(parsed.GetValue(input)!, field);
            var answer = Of(rows, null);
            if (field is not null)
                answer = answer with
                {
                    Strata = [.. rows.GroupBy(row => row.Stratum!, StringComparer.Ordinal)
                        .OrderBy(group => group.Key, StringComparer.Ordinal)
                        .Select(group => Of([.. group], group.Key))],
                };
            if (parsed.GetValue(json))
                Output.JsonLine(answer);
            else
                Show(answer, field);
            return ExitCodes.Ok;
        });
        return command;
    }

    static List<JudgedRow> Read(string path, string? stratum)
    {
        var fields = new Fields(path);
        var named = false;
        var rows = fields.Read((line, row) =>
        {
            var name = stratum is null ? null : fields.Name(row, stratum, line, required: false);
            named |= name is not null;
            return new JudgedRow(
                fields.Flag(row, "judge", line, required: true, "where the judge's answer could not be read"),
                fields.Flag(row, "human", line, required: false, "where nobody labelled the row"),
                fields.Number(row, "propensity", line, required: false, share =>
                    share is > 0 and <= 1, "above 0 and at most 1: the chance with which the row was drawn for labelling"),
                stratum is null ? null : name ?? NoStratum);
        });
        return stratum is null
            || named ? rows : throw new FlywheelException($"{path}: no row has the field `{stratum}` that --stratum names.");
    }

    static Answer Of(IReadOnlyList<JudgedRow> rows, string? stratum)
    {
        var it = RateEstimate.Of(rows);
        var needed = Math.Max(0, RateEstimate.EnoughLabels - it.Labels);
        return new Answer(
            stratum, it.Posterior.PassRate, it.Posterior.TruePassRate, it.Posterior.TrueFailRate, it.Posterior.Kappa,
            it.Posterior.Agreement,
            it.Labels, it.Judged, it.LabelledFails, it.Unreadable, it.Picked, it.Method.WireName(), it.JudgeOnly, it.HumanOnly, needed,
            Note(it, needed));
    }

    static string? Note(RateEstimate it, long needed)
    {
        var notes = new List<string>();
        if (needed > 0)
            notes.Add($"not enough labels: about {needed} more before these intervals can be relied on");
        if (it.Picked > 0)
            notes.Add($"{it.Picked} labels have no propensity while others have: they count as picked, not drawn, and estimate nothing");
        if (it.Method == RateMethod.WeightedBetaCells)
            notes.Add("labels were drawn with different propensities and are too few (under 100, or under 10 of one outcome) for "
                + "weighting row by row: they count at their effective number");
        if (it.Uneven is not null)
            notes.Add(it.Uneven);
        return notes.Count > 0 ? string.Join("; ", notes) : null;
    }

    static void Show(Answer answer, string? stratum)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{answer.Labels:N0} labels of people (n) and {answer.Judged:N0} verdicts of the judge "
                + $"(N){(answer.Unparsable > 0 ? $", {answer.Unparsable:N0} of them unreadable" : "")}; 95 % intervals."));
        var table = new Table().Border(TableBorder.Simple).AddColumns("", "median", "95 % interval", "what it means");
        Row("pass rate", answer.PassRate, "share of all rows that people would pass");
        Row("TPR", answer.TruePassRate, "of what people would pass, the judge passes this share");
        Row("TNR", answer.TrueFailRate, "of what people would fail, the judge fails this share");
        Row("kappa", answer.Kappa, "agreement of judge and people beyond chance; 1 is perfect, 0 is chance");
        Row("agreement", answer.Agreement, "share of rows on which judge and people agree");
        table.AddEmptyRow();
        Row("judge only", answer.JudgeOnly, "what the judge alone claims: wrong by its errors, for comparison");
        Row("human only", answer.HumanOnly, "what the labels alone say, without the judge's help");
        Output.People.Write(table);
        if (answer.Strata is { } strata)
        {
            var slices = new Table().Border(TableBorder.Simple)
                .AddColumns(Markup.Escape(stratum!), "pass rate", "95 % interval", "n", "N", "");
            foreach (var slice in strata)
                slices.AddRow(
                    Markup.Escape(slice.Stratum!), Number(slice.PassRate.Median), Interval(slice.PassRate),
                    slice.Labels.ToString("N0", CultureInfo.InvariantCulture),
                    slice.Judged.ToString("N0", CultureInfo.InvariantCulture),
                    slice.LabelsNeeded > 0 ? $"not enough labels: about {slice.LabelsNeeded} more" : "");
            Output.People.Write(slices);
        }
        if (answer.Note is { } note)
            Console.WriteLine($"Note: {note}.");

        void Row(string name, Estimate estimate, string meaning) =>
            table.AddRow(name, Number(estimate.Median), Interval(estimate), meaning);
    }

    static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    static string Interval(Estimate estimate) => $"{Number(estimate.Low)} to {Number(estimate.High)}";

    static string WireName(this RateMethod method) => method switch
    {
        RateMethod.BetaCells => "beta-cells",
        RateMethod.WeightedBetaCells => "beta-cells-weighted",
        _ => "aipw",
    };
}
