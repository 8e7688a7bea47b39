using System.CommandLine;
using System.Globalization;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Proposals;
using Flywheel.Engine.Judging.Aligning;
using Flywheel.Server.Features.Judging;
using Spectre.Console;

namespace Flywheel.Server.Cli;

static class AlignCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var json = CommonOptions.Json();
        var name = new Argument<string>("metric") { Description = "Metric of the kind judge" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Print what would be tried and the maximum cost" };
        var author = new Option<string>("--author") { Description = "Name of the person who acts", DefaultValueFactory = _ => "cli" };
        var labels = new Option<int>("--labels")
        {
            Description = "Number of newest blind labels, 40 to 2000",
            DefaultValueFactory = _ => AlignmentRequest.UsualLabels,
        };
        var model = new Option<string?>(
            "--model") { Description = "Model that derives rules from labels (default: the judge of the metric)" };
        var reference = new Option<string?>("--reference")
        {
            Description = "Attribute with a reference answer, such as reference.answer (default: a common name that the spans have)",
        };
        var command = new Command(
            "align", "Search for a better judge with blind labels; a judge that later labels confirm becomes a proposal")
        {
            name, dryRun, author, labels, model, reference, db, project, json,
        };
        command.SetAction(async (parsed, ct) =>
        {
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            await using var engine = CommandEngine.Over(store, parsed.GetValue(db));
            var caller = CommandCaller.Of(owner).For(parsed.GetValue(author));
            var alignments = engine.Get<AlignmentService>();
            var request = new AlignmentRequest(parsed.GetValue(labels), parsed.GetValue(model), parsed.GetValue(reference));
            var (metric, asJson) = (parsed.GetValue(name)!, parsed.GetValue(json));
            if (parsed.GetValue(dryRun))
            {
                Show(AlignView.Of(await alignments.LookAsync(caller, metric, request, ct), null), asJson);
                return ExitCodes.Ok;
            }
            var (outlook, run) = await alignments.BeginAsync(caller, metric, request, ct);
            if (run is null)
            {
                Show(AlignView.Of(outlook, null), asJson);
                return ExitCodes.Ok;
            }
            var ended = await Output.ProgressAsync(
                $"aligning {metric}", asJson,
                report => engine.Get<JudgeAlignment>().FinishAsync(run, (done, total) => report(done, total), ct));
            var proposal = ended.Proposal is { } id ? await store.Proposals.FindAsync(owner.Id, id, ct) : null;
            if (asJson)
                Output.Json(AlignView.Of(outlook, ended));
            else
                Show(ended, proposal);
            return ended.State == AlignmentState.Done ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    static void Show(AlignView view, bool json)
    {
        if (json)
        {
            Output.Json(view);
            return;
        }
        var outlook = view.Outlook;
        if (view.Note is { } note)
        {
            Console.WriteLine(char.ToUpperInvariant(note[0]) + note[1..] + ".");
            return;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{outlook.Labels} blind labels of `{outlook.Metric}` version {outlook.MetricVersion}: {outlook.Fit} to choose by, "
                + $"{outlook.HeldOut} later ones held out, {outlook.Tested} of them fair to test on."));
        Console.WriteLine($"{outlook.Candidates.Count} candidates: {string.Join(", ", outlook.Candidates)}.");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"At most {outlook.Calls:N0} calls for at most {outlook.CostUsd:0.00##} USD; answers that are kept cost nothing again."));
        foreach (var each in outlook.Notes)
            Console.WriteLine(each);
    }

    static void Show(AlignmentRun run, Proposal? proposal)
    {
        if (run.Result is { } result)
            Candidates(ProposalJson.Read<AlignmentEvidence>(result));
        if (run.State == AlignmentState.Running)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"It waits until {run.VisibleAt:yyyy-MM-dd HH:mm} UTC: {run.Detail}. {run.Done:N0} of {run.Total:N0} steps are done and "
                    + $"kept; the same command goes on."));
        else
            Console.WriteLine(run.Detail is { Length: > 0 } detail ? char.ToUpperInvariant(detail[0]) + detail[1..] + "." : "Done.");
        if (proposal is not null)
        {
            Console.WriteLine(proposal.Summary);
            Console.WriteLine($"Proposal {proposal.Id} waits for a person: flywheel proposals show {proposal.Id}, then approve or reject.");
        }
    }

    /// <summary>Candidates with their scores in cross-validation, and what was found on the held-out labels.</summary>
    public static void Candidates(AlignmentEvidence evidence)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumns("candidate", "balanced accuracy", "5 % quantile", "right", "wrong", "undecided");
        foreach (var it in evidence.Candidates)
        {
            var counts = it.Counts;
            var chosen = it.Name == evidence.Chosen;
            table.AddRow(
                Markup.Escape(chosen ? $"{it.Name} (ahead)" : it.Name), it.Balanced.ToString("0.000", CultureInfo.InvariantCulture),
                it.Low.ToString("0.000", CultureInfo.InvariantCulture),
                (counts.PassPass + counts.FailFail).ToString(CultureInfo.InvariantCulture),
                (counts.PassFail + counts.FailPass).ToString(CultureInfo.InvariantCulture),
                (counts.UndecidedPass + counts.UndecidedFail).ToString(CultureInfo.InvariantCulture));
        }
        Output.People.Write(table);
        if (evidence is { Test: { } test, Current: { } old, Candidate: { } its })
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"On {test.Labels} held-out labels: balanced accuracy {its.Balanced:0.000} against {old.Balanced:0.000}; alone right "
                    + $"{test.NewOnly:0.#} against {test.OldOnly:0.#} times, probability {test.Probability:0.000}, exact p "
                    + $"{test.ExactP:0.000}."));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Spent {evidence.CostUsd:0.00##} USD."));
        foreach (var note in evidence.Notes)
            Console.WriteLine(note);
    }
}
