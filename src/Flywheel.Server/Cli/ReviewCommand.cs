using System.CommandLine;
using Flywheel.Engine.Review;
using Flywheel.Server.Features.Review;
using Spectre.Console;

namespace Flywheel.Server.Cli;

static class ReviewCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var json = CommonOptions.Json();
        var node = new Option<string?>("--node") { Description = "Only this node" };
        var metric = new Option<string?>("--metric") { Description = "Only this metric" };
        var reason = new Option<string?>("--reason") { Description = "Only this reason, such as random-audit or low-score" };
        var author = new Option<string?>(
            "--author") { Description = "Exclude items that this person labelled and items that others reserved" };
        var reserve = new Option<string?>(
            "--reserve") { Description = "Reserve the listed items for this time, such as 10m; requires --author" };
        var blind = new Option<bool>("--blind") { Description = "Hide the verdicts of judges" };
        var limit = new Option<int>("--limit") { Description = "Maximum number of items", DefaultValueFactory = _ => 20 };
        var command = new Command(
            "review", "List the review queue, most urgent first") { db, project, node, metric, reason, author, reserve, blind, limit,
            json };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(reserve) is not null && parsed.GetValue(author) is null)
                throw new UsageException("--reserve takes items for somebody: name them with --author.");
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            await using var engine = CommandEngine.Over(store, parsed.GetValue(db));
            var page = await engine.Get<ReviewQueue>().ListAsync(
                CommandCaller.Of(owner),
                new(parsed.GetValue(node), parsed.GetValue(metric), parsed.GetValue(reason), Limit: parsed.GetValue(limit),
                    Author: parsed.GetValue(author),
                    Reserve: parsed.GetValue(reserve), Blind: parsed.GetValue(blind)),
                ct);
            var shown = ReviewList.Of(page);
            if (parsed.GetValue(json))
            {
                Output.Json(shown);
                return ExitCodes.Ok;
            }
            Write(page.Due ?? []);
            if (page.Items.Count == 0)
            {
                Console.WriteLine("Nothing waits for a person. Items appear when a metric fails or is unsure, and at random for audits.");
                return ExitCodes.Ok;
            }
            var table = new Table().Border(TableBorder.Simple).AddColumns("why", "node", "metric", "input", "output", "trace/span");
            if (shown.Items.Any(item => item.ReservedBy is not null))
                table.AddColumn("taken by");
            foreach (var item in shown.Items)
                table.AddRow([
                    $"{item.Reason}: {Markup.Escape(Short(item.Detail, 60))}", Markup.Escape(item.Node), Markup.Escape(item.Metric ?? "-"),
                    Markup.Escape(Short(item.Input, 60)), Markup.Escape(Short(item.Output, 60)),
                    Markup.Escape($"{item.TraceId}/{item.SpanId}"),
                    .. table.Columns.Count == 7
                    ? [Markup.Escape(item.ReservedBy is null ? "" : $"{item.ReservedBy} until {item.ReservedUntil:HH:mm} UTC")]
                    : Array.Empty<string>()]);
            Output.People.Write(table);
            if (page.Next is not null)
                Console.WriteLine("There are more: raise --limit.");
            return ExitCodes.Ok;
        });
        return command;
    }

    static void Write(IReadOnlyList<MetricToReview> due)
    {
        if (due.Count == 0)
            return;
        Console.WriteLine(due.Count == 1
            ? "A metric in code is due to be looked at again:" : $"{due.Count} metrics in code are due to be looked at again:");
        var table = new Table().Border(TableBorder.Simple).AddColumns("metric", "due since", "last looked at", "changed since");
        foreach (var metric in due)
            table.AddRow(
                Markup.Escape(metric.Schedule.Metric.Name), $"{metric.Schedule.DueAt:yyyy-MM-dd}",
                Markup.Escape(metric.Schedule.Last is { } last ? $"{last.At:yyyy-MM-dd} by {last.Author}" : "never"),
                Markup.Escape(metric.Evidence is null ? "not looked" : metric.Evidence.Changes.Count == 0
                    ? "nothing seen" : string.Join("; ", metric.Evidence.Changes)));
        Output.People.Write(table);
        Console.WriteLine("Decide with POST /api/v1/metrics/NAME/reviews {\"decision\": \"keep\" | \"change\" | \"retire\"}.");
        Console.WriteLine();
    }

    static string Short(string? text, int length)
    {
        var line = (text ?? "").ReplaceLineEndings(" ");
        return line.Length <= length ? line : string.Concat(line.AsSpan(0, length - 1), "…");
    }
}
