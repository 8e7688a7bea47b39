using System.CommandLine;
using Flywheel.Core.Traces;

namespace Flywheel.Server.Cli;

static class EraseCommand
{
    public static Command Create()
    {
        var user = new Argument<string>("end-user") { Description = "The person, as the spans name them" };
        var keep = new Option<bool>("--no-compact") { Description = "Do not rewrite the database file afterwards" };
        var author = new Option<string>("--author") { Description = "Who does it, for the audit", DefaultValueFactory = _ => "cli" };
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var json = CommonOptions.Json();
        var command = new Command("erase", "Delete everything of an end user, and rewrite the file so that nothing of it is left in free pages")
            { user, keep, author, db, project, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (SpanRules.Name(parsed.GetValue(user), SpanRules.MaxNameLength) is { } why)
                throw new UsageException($"The end user {why}");
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            var erased = await store.Erasures.EraseAsync(owner.Id, parsed.GetValue(user)!, parsed.GetValue(author)!, TimeProvider.System.GetUtcNow(), ct);
            var compacted = !parsed.GetValue(keep) && await store.Erasures.CompactAsync(ct);
            if (parsed.GetValue(json))
                Output.Json(new { erased, compacted });
            else
                Console.WriteLine(
                    $"Erased {erased.Spans} spans, {erased.Demonstrations} demonstrations, {erased.Feedback} feedback, {erased.Guidelines} guidelines, {erased.Texts} late texts; "
                    + $"taken out of {erased.Scrubbed} prompts of others.{(compacted ? " The file is rewritten." : "")}");
            return ExitCodes.Ok;
        });
        return command;
    }
}
