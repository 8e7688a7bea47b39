using System.CommandLine;
using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Statistics;
using Spectre.Console;

namespace Flywheel.Server.Cli.Statistics;

/// <summary>How far people agree with each other, from a plain file.</summary>
static class AgreementCommand
{
    sealed record KappaView(double? Value, double? Low, double? High, string Kind);

    /// <param name="SingleItems">Items that one person answered: they say nothing of agreement.</param>
    /// <param name="Unanswered">Rows whose value is null.</param>
    sealed record Answer(
        Coefficient Alpha, KappaView Kappa, Coefficient Agreement, int Items, int Raters, int Ratings, int SingleItems, int Unanswered,
        string? Note);

    public static Command Create()
    {
        var input = new Option<string>("--in") { Description = "JSONL or CSV rows {item, rater, value}", Required = true };
        var json = CommonOptions.Json();
        var command = new Command(
            "agreement", "Compute the agreement of people beyond chance, which is the upper limit for a judge") { input, json };
        command.SetAction(parsed =>
        {
            var (ratings, unanswered) = Read(parsed.GetValue(input)!);
            var it = RaterAgreement.Of(ratings);
            var answer = new Answer(
                it.Alpha, new KappaView(it.Kappa.Value, it.Kappa.Low, it.Kappa.High, it.KappaName), it.Agreement, it.Items, it.Raters,
                it.Ratings,
                it.SingleItems, unanswered, Note(it));
            if (parsed.GetValue(json))
                Output.JsonLine(answer);
            else
                Show(answer);
            return ExitCodes.Ok;
        });
        return command;
    }

    static (List<Rating> Ratings, int Unanswered) Read(string path)
    {
        var fields = new Fields(path);
        var seen = new Dictionary<(string, string), int>();
        var rows = fields.Read<Rating?>((line, row) =>
        {
            var item = fields.Name(row, "item", line, required: true) ?? throw fields.Missing(line, "item");
            var rater = fields.Name(row, "rater", line, required: true) ?? throw fields.Missing(line, "rater");
            if (fields.Name(row, "value", line, required: true) is not { } value)
                return null;
            return seen.TryAdd((item, rater), line)
                ? new Rating(item, rater, value)
                : throw new FlywheelException(
                    $"{path}, line {line}: rater `{rater}` answered item `{item}` in line {seen[(item, rater)]} already: keep one answer.");
        });
        return ([.. rows.OfType<Rating>()], rows.Count(row => row is null));
    }

    static string? Note(RaterAgreement it) =>
        it.Items == 0 ? "not enough labels: no item was answered by two people"
        : it.Alpha.Value is null ? "every answer is the same: nothing tells agreement from chance"
        : it.Items < 20 ? $"not enough labels: {it.Items} items with two answers, about {20 - it.Items} more before the intervals can be "
        + "relied on"
        : null;

    static void Show(Answer answer)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{answer.Ratings:N0} answers of {answer.Raters:N0} people; {answer.Items:N0} items were answered by at least two."));
        var table = new Table().Border(TableBorder.Simple).AddColumns("", "value", "95 % interval", "what it means");
        Row("alpha", answer.Alpha, "Krippendorff's: 1 is perfect agreement, 0 is chance");
        Row("kappa", new(answer.Kappa.Value, answer.Kappa.Low, answer.Kappa.High),
            answer.Kappa.Kind == "cohen" ? "Cohen's, for two people" : "Fleiss', for more than two people");
        Row("agreement", answer.Agreement, "share of pairs of answers that are equal");
        Output.People.Write(table);
        if (answer.Note is { } note)
            Console.WriteLine($"Note: {note}.");

        void Row(string name, Coefficient it, string meaning) =>
            table.AddRow(name, Number(it.Value), it.Value is null ? "-" : $"{Number(it.Low)} to {Number(it.High)}", meaning);
    }

    static string Number(double? value) => value is { } number ? number.ToString("0.000", CultureInfo.InvariantCulture) : "-";
}
