using System.CommandLine;
using Flywheel.Engine.Projects;

namespace Flywheel.Server.Cli;

static class EraseCommand
{
    public static Command Create()
    {
        var user = new Argument<string>("end-user") { Description = "Name of the end user in the spans" };
        var keep = new Option<bool>("--no-compact") { Description = "Do not rewrite the database file" };
        var author = new Option<string>(
            "--author") { Description = "Name of the person who acts, for the audit", DefaultValueFactory = _ => "cli" };
        var common = new ProjectOptions();
        var command = new Command(
            "erase", "Delete all data of an end user, and rewrite the database file so that no deleted text remains in it")
            { user, keep, author, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<ErasureService>(parsed, async (erasures, caller, json) =>
        {
            var (erased, compacted) = await erasures.EraseAsync(
                caller.For(parsed.GetValue(author)), parsed.GetValue(user)!, compact: !parsed.GetValue(keep), ct);
            if (json)
                Output.Json(new { erased, compacted });
            else
                Console.WriteLine(
                    $"Erased {erased.Spans} spans, {erased.Demonstrations} demonstrations, {erased.Feedback} feedback, "
                        + $"{erased.Guidelines} guidelines, {erased.Texts} late texts; "
                    + $"taken out of {erased.Scrubbed} prompts of others.{(compacted ? " The file is rewritten." : "")}");
        }, ct));
        return command;
    }
}
