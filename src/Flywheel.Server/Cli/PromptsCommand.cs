using System.CommandLine;
using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Server.Features.Prompts;
using Spectre.Console;

namespace Flywheel.Server.Cli;

static class PromptsCommand
{
    public static Command Create() => new("prompts", "Prompts of the registry: list, show, diff, label") { List(), Show(), Diff(), Label() };

    static Command List()
    {
        var common = new Common();
        var command = new Command("list", "Prompts with their labels") { common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync(parsed, async (store, project, json) =>
        {
            var prompts = await store.Prompts.ListAsync(project, ct);
            if (json)
            {
                Output.Json(prompts.Select(PromptSummaryView.Of));
                return;
            }
            if (prompts.Count == 0)
            {
                Console.WriteLine("There are no prompts: POST /api/v1/prompts/NAME/versions makes one.");
                return;
            }
            var table = new Table().Border(TableBorder.Simple).AddColumns("name", "type", "versions", "labels", "changed");
            foreach (var prompt in prompts)
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
        var common = new Common();
        var name = Name();
        var which = new Argument<string>("version") { Description = "Number or label (default: latest)", DefaultValueFactory = _ => PromptLabel.Latest };
        var command = new Command("show", "One version with its config, and how many spans ran it") { name, which, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync(parsed, async (store, project, json) =>
        {
            var version = await PromptEndpoints.FindAsync(store, project, parsed.GetValue(name)!, parsed.GetValue(which)!, ct);
            var spans = (await store.Prompts.UsesAsync(project, version.Name, ct)).FirstOrDefault(use => use.Number == version.Number)?.Spans ?? 0;
            if (json)
                Output.Json(new
                {
                    prompt = PromptVersionView.Of(version, await store.Prompts.LabelsAsync(project, version.Name, ct), (await store.Prompts.FindAsync(project, version.Name, PromptLabel.Latest, ct))!.Number),
                    spans,
                });
            else
                Console.Write($"{version.Name} version {version.Number}, by {version.Author}, {version.CreatedAt:yyyy-MM-dd}, run by {spans} spans\n{PromptTemplate.Lines(version)}");
        }, ct));
        return command;
    }

    static Command Diff()
    {
        var common = new Common();
        var name = Name();
        var from = new Argument<string>("from") { Description = "Number or label" };
        var to = new Argument<string>("to") { Description = "Number or label (default: latest)", DefaultValueFactory = _ => PromptLabel.Latest };
        var command = new Command("diff", "What changed between two versions, as a unified diff") { name, from, to, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync(parsed, async (store, project, json) =>
        {
            var older = await PromptEndpoints.FindAsync(store, project, parsed.GetValue(name)!, parsed.GetValue(from)!, ct);
            var newer = await PromptEndpoints.FindAsync(store, project, parsed.GetValue(name)!, parsed.GetValue(to)!, ct);
            var diff = PromptEndpoints.Diff(older, newer);
            if (json)
                Output.Json(new PromptDiff(older.Name, older.Number, newer.Number, diff));
            else
                Console.Write(diff);
        }, ct));
        return command;
    }

    static Command Label()
    {
        var common = new Common();
        var name = Name();
        var label = new Argument<string>("label") { Description = "production, staging or a name of yours" };
        var version = new Argument<int>("version") { Description = "Number of the version" };
        var author = new Option<string>("--author") { Description = "Who does it", DefaultValueFactory = _ => "cli" };
        var command = new Command("label", "Point a label at a version; a protected label is proposed") { name, label, version, author, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync(parsed, async (store, project, json) =>
        {
            PromptEndpoints.CheckLabel(parsed.GetValue(label)!, "label");
            var (prompt, to, number) = (parsed.GetValue(name)!, parsed.GetValue(label)!, parsed.GetValue(version));
            await PromptEndpoints.FindAsync(store, project, prompt, number.ToString(CultureInfo.InvariantCulture), ct);
            var proposal = await store.Prompts.MoveAsync(project, prompt, to, number, null, parsed.GetValue(author)!, TimeProvider.System.GetUtcNow(), ct);
            if (json)
                Output.Json(new LabelMoved(prompt, to, number, proposal is null ? null : ProposalView.Of(proposal)));
            else
                Console.WriteLine(proposal is null
                    ? $"`{to}` of `{prompt}` is version {number}."
                    : $"`{to}` is protected: proposal {proposal.Id} waits for a person (POST /api/v1/prompt-proposals/{proposal.Id}/approve).");
        }, ct));
        return command;
    }

    static Argument<string> Name() => new("name") { Description = "The prompt's name" };

    sealed class Common
    {
        public Option<string?> Db { get; } = CommonOptions.Db();
        public Option<string> Project { get; } = CommonOptions.Project();
        public Option<bool> Json { get; } = CommonOptions.Json();

        public async Task<int> RunAsync(ParseResult parsed, Func<IFlywheelStore, ProjectId, bool, Task> run, CancellationToken ct)
        {
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(Db), ct);
            var project = await CommonOptions.ProjectAsync(store, parsed.GetValue(Project)!, ct);
            await run(store, project.Id, parsed.GetValue(Json));
            return ExitCodes.Ok;
        }
    }
}
