using System.CommandLine;
using System.Globalization;
using Flywheel.Engine.Evaluation;

namespace Flywheel.Server.Cli.Eval;

/// <summary>The runs of a project.</summary>
static class EvalRunsCommand
{
    public static Command Create()
    {
        var limit = new Option<int>("--limit") { Description = "Number of runs, the newest first", DefaultValueFactory = _ => 20 };
        var common = new ProjectOptions();
        var command = new Command("runs", "List the runs of a project, newest first") { limit, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<EvaluationService>(parsed, async (evaluations, caller, json) =>
        {
            var lines = await evaluations.ListAsync(caller, parsed.GetValue(limit), ct);
            if (json)
                Output.Json(lines);
            else if (lines.Count == 0)
                Console.WriteLine("There are no runs.");
            else
                EvalText.Print(
                    ["run", "made by", "data", "rows", "started", "USD", "pass rates"],
                    lines.Select(line => new[]
                    {
                        line.Id.ToString(CultureInfo.InvariantCulture) + (line.State == "finished" ? "" : " (unfinished)"),
                        EvalText.Short(line.About.Title()),
                        EvalText.Short(line.Data), line.Rows.ToString("N0", CultureInfo.InvariantCulture),
                        line.StartedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                        line.CostUsd.ToString("0.####", CultureInfo.InvariantCulture),
                        string.Join(", ", line.PassRates.Take(4)
                            .Select(rate => string.Create(
                                CultureInfo.InvariantCulture,
                                $"{rate.Key} {(rate.Value.Value is { } share ? $"{100 * share:0.#} %" : "-")}")))
                            + (line.PassRates.Count > 4 ? ", …" : ""),
                    }));
        }, ct));
        return command;
    }
}
