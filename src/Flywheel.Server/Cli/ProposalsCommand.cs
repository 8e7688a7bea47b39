using System.CommandLine;
using System.Globalization;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Proposals;
using Flywheel.Engine.Proposals;
using Flywheel.Server.Features.Proposals;
using Spectre.Console;

namespace Flywheel.Server.Cli;

static class ProposalsCommand
{
    public static Command Create() => new("proposals", "List and decide proposed changes") { List(), Show(), Decide(true), Decide(false) };

    static Command List()
    {
        var common = new Common();
        var all = new Option<bool>("--all") { Description = "Include decided proposals" };
        var command = new Command("list", "List the proposals that wait for a decision") { all, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync(parsed, async (proposals, caller, json) =>
        {
            var found = await proposals.ListAsync(
                caller, new(State: parsed.GetValue(all) ? null : Wire.Name(ProposalState.Proposed), Limit: 200), ct);
            if (json)
            {
                Output.Json(new ChangeProposalList([.. found.Select(ChangeProposalView.Of)]));
                return;
            }
            if (found.Count == 0)
            {
                Console.WriteLine("Nothing waits for a sign-off. `flywheel align METRIC` looks for a better judge and proposes it.");
                return;
            }
            var table = new Table().Border(TableBorder.Simple).AddColumns("id", "state", "made", "by", "what");
            foreach (var it in found)
                table.AddRow(
                    it.Id.ToString(CultureInfo.InvariantCulture), Wire.Name(it.State),
                    it.CreatedAt.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                    Markup.Escape(it.Author), Markup.Escape(it.Summary));
            Output.People.Write(table);
        }, ct));
        return command;
    }

    static Command Show()
    {
        var common = new Common();
        var id = Id();
        var command = new Command("show", "Print one proposal with its evidence") { id, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync(parsed, async (proposals, caller, json) =>
        {
            var it = await proposals.GetAsync(caller, parsed.GetValue(id), ct);
            if (json)
            {
                Output.Json(ChangeProposalView.Of(it));
                return;
            }
            Console.WriteLine($"Proposal {it.Id}, {Wire.Name(it.State)}{(it.DecidedBy is { } who ? $" by {who}" : "")}, made "
                + $"{it.CreatedAt:yyyy-MM-dd HH:mm} UTC for {it.Author}");
            Console.WriteLine(it.Summary);
            if (it.Kind != ProposalKind.Metric)
                return;
            var change = ProposalJson.Read<MetricChange>(it.Change);
            if (change.Validator is { } validator)
                Console.WriteLine($"New settings: {validator.Settings}");
            foreach (var rule in change.Guidelines)
                Console.WriteLine($"New guideline, from {rule.Labels.Count} {(rule.Labels.Count == 1 ? "label" : "labels")}: {rule.Text}");
            AlignCommand.Candidates(ProposalJson.Read<AlignmentEvidence>(it.Evidence));
        }, ct));
        return command;
    }

    static Command Decide(bool approve)
    {
        var common = new Common();
        var id = Id();
        var author = new Option<string>("--author") { Description = "Name of the person who decides", DefaultValueFactory = _ => "cli" };
        var reason = new Option<string?>("--reason") { Description = "Reason of the decision, which is stored" };
        var command = new Command(
            approve ? "approve" : "reject", approve ? "Approve a proposal and make the change" : "Reject a proposal; nothing changes")
        {
            id, author, reason, common.Db, common.Project, common.Json,
        };
        command.SetAction((parsed, ct) => common.RunAsync(parsed, async (proposals, caller, json) =>
        {
            var person = caller.For(parsed.GetValue(author));
            var it = approve
                ? await proposals.ApproveAsync(person, parsed.GetValue(id), parsed.GetValue(reason), ct)
                : await proposals.RejectAsync(person, parsed.GetValue(id), parsed.GetValue(reason), ct);
            if (json)
                Output.Json(ChangeProposalView.Of(it));
            else
                Console.WriteLine($"Proposal {it.Id} is {Wire.Name(it.State)}{(approve ? $": `{it.Subject}` has changed" : "")}.");
        }, ct));
        return command;
    }

    static Argument<long> Id() => new("id") { Description = "Number of the proposal" };

    sealed class Common
    {
        public Option<string?> Db { get; } = CommonOptions.Db();
        public Option<string> Project { get; } = CommonOptions.Project();
        public Option<bool> Json { get; } = CommonOptions.Json();

        public async Task<int> RunAsync(ParseResult parsed, Func<ProposalService, Caller, bool, Task> run, CancellationToken ct)
        {
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(Db), ct);
            var project = await CommonOptions.ProjectAsync(store, parsed.GetValue(Project)!, ct);
            await using var engine = CommandEngine.Over(store, parsed.GetValue(Db));
            await run(engine.Get<ProposalService>(), CommandCaller.Of(project), parsed.GetValue(Json));
            return ExitCodes.Ok;
        }
    }
}
