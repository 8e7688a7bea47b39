using System.CommandLine;
using System.Globalization;
using Flywheel.Core.Prompts;
using Flywheel.Engine.Prompts;
using Flywheel.Server.Features.Prompts;
using Spectre.Console;

namespace Flywheel.Server.Cli;

static class PromptsCommand
{
    public static Command Create() => new("prompts", "Manage prompts of the registry") { List(), Show(), Diff(), Label() };

    static Command List()
    {
        var common = new ProjectOptions();
        var command = new Command("list", "List the prompts with their prompt labels") { common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<PromptService>(parsed, async (prompts, caller, json) =>
        {
            var found = await prompts.ListAsync(caller, ct);
            if (json)
            {
                Output.Json(found.Select(PromptSummaryView.Of));
                return;
            }
            if (found.Count == 0)
            {
                Console.WriteLine("There are no prompts: POST /api/v1/prompts/NAME/versions makes one.");
                return;
            }
            var table = new Table().Border(TableBorder.Simple).AddColumns("name", "type", "versions", "labels", "changed");
            foreach (var prompt in found)
                table.AddRow(
                    Markup.Escape(prompt.Name), Core.Metrics.Wire.Name(prompt.Type), prompt.Versions.ToString(CultureInfo.InvariantCulture),
                    Markup.Escape(string.Join(", ", prompt.Labels.Select(label => $"{label.Label}={label.Number}"))),
                    prompt.UpdatedAt.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            Output.People.Write(table);
        }, ct));
        return command;
    }

    static Command Show()
    {
        var common = new ProjectOptions();
        var name = Name();
        var which = new Argument<string>(
            "version") { Description = "Number or prompt label (default: latest)", DefaultValueFactory = _ => PromptLabel.Latest };
        var command = new Command(
            "show", "Print one version with its config and the number of spans that used it") { name, which, common.Db, common.Project,
            common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<PromptService>(parsed, async (prompts, caller, json) =>
        {
            var it = await prompts.GetLabelledAsync(caller, parsed.GetValue(name)!, parsed.GetValue(which)!, ct);
            var version = it.Version;
            var spans = await prompts.CountSpansAsync(caller, version, ct);
            if (json)
                Output.Json(new { prompt = PromptVersionView.Of(it), spans });
            else
                Console.Write($"{version.Name} version {version.Number}, by {version.Author}, {version.CreatedAt:yyyy-MM-dd}, run by "
                    + $"{spans} spans\n{PromptTemplate.Lines(version)}");
        }, ct));
        return command;
    }

    static Command Diff()
    {
        var common = new ProjectOptions();
        var name = Name();
        var from = new Argument<string>("from") { Description = "Number or prompt label" };
        var to = new Argument<string>(
            "to") { Description = "Number or prompt label (default: latest)", DefaultValueFactory = _ => PromptLabel.Latest };
        var command = new Command(
            "diff", "Print a unified diff of two versions") { name, from, to, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<PromptService>(parsed, async (prompts, caller, json) =>
        {
            var it = await prompts.DiffAsync(caller, parsed.GetValue(name)!, parsed.GetValue(from), parsed.GetValue(to), ct);
            if (json)
                Output.Json(PromptDiff.Of(it));
            else
                Console.Write(it.Diff);
        }, ct));
        return command;
    }

    static Command Label()
    {
        var common = new ProjectOptions();
        var name = Name();
        var label = new Argument<string>("label") { Description = "Name of the prompt label, such as production" };
        var version = new Argument<int>("version") { Description = "Number of the version" };
        var author = new Option<string>("--author") { Description = "Name of the person who acts", DefaultValueFactory = _ => "cli" };
        var command = new Command(
            "label", "Move a prompt label to a version; if it is protected, propose the move") { name, label, version, author, common.Db,
            common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<PromptService>(parsed, async (prompts, caller, json) =>
        {
            var (prompt, to, number) = (parsed.GetValue(name)!, parsed.GetValue(label)!, parsed.GetValue(version));
            var proposal = await prompts.MoveLabelAsync(caller.For(parsed.GetValue(author)), prompt, to, number, null, ct);
            if (json)
                Output.Json(PromptLabelMoved.Of(prompt, to, number, proposal));
            else
                Console.WriteLine(proposal is null
                    ? $"The prompt label `{to}` of `{prompt}` points at version {number}."
                    : $"The prompt label `{to}` is protected: proposal {proposal.Id} waits for a person (POST "
                    + $"/api/v1/prompt-proposals/{proposal.Id}/approve).");
        }, ct));
        return command;
    }

    static Argument<string> Name() => new("name") { Description = "Name of the prompt" };
}
