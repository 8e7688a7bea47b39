using System.CommandLine;
using Flywheel.Core.Review;
using Flywheel.Engine.Metrics;
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
        var limit = new Option<int>("--limit") { Description = "How many items", DefaultValueFactory = _ => 20 };
        var command = new Command("review", "Show what people should look at, most urgent first") { db, project, node, limit, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(limit) is < 1 or > 500)
                throw new UsageException("--limit must be a whole number from 1 to 500.");
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            var page = await store.Review.ListAsync(owner.Id, new ReviewFilter(parsed.GetValue(node), Limit: parsed.GetValue(limit)), ct);
            var serving = new ReviewServing(store, ValidatorRegistry.BuiltIn(), TimeProvider.System);
            var items = (await serving.ServeAsync(owner.Id, page.Items, ct)).Select(ReviewItemView.Of).ToArray();
            if (parsed.GetValue(json))
            {
                Output.Json(new ReviewList(items, page.Next));
                return Cli.Ok;
            }
            if (page.Items.Count == 0)
            {
                Console.WriteLine("Nothing waits for a person. Items appear when a metric fails or is unsure, and at random for audits.");
                return Cli.Ok;
            }
            var table = new Table().Border(TableBorder.Simple).AddColumns("why", "node", "metric", "input", "output", "trace/span");
            foreach (var item in items)
                table.AddRow(
                    $"{item.Reason}: {Markup.Escape(Short(item.Detail, 60))}", Markup.Escape(item.Node), Markup.Escape(item.Metric ?? "-"),
                    Markup.Escape(Short(item.Input, 60)), Markup.Escape(Short(item.Output, 60)), Markup.Escape($"{item.TraceId}/{item.SpanId}"));
            Output.People.Write(table);
            if (page.Next is not null)
                Console.WriteLine("There are more: raise --limit.");
            return Cli.Ok;
        });
        return command;
    }

    static string Short(string? text, int length)
    {
        var line = (text ?? "").ReplaceLineEndings(" ");
        return line.Length <= length ? line : string.Concat(line.AsSpan(0, length - 1), "…");
    }
}
