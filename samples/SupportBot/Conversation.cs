using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core;
using Flywheel.Demo;
using Flywheel.Demo.Orders;
using Flywheel.Engine.Embedded;
using Flywheel.Storage;

namespace SupportBot;

/// <summary>Answers one message on the console.</summary>
internal static class Conversation
{
    const string OwnFile = "supportbot.db";

    public static async Task RunAsync(
        CommandLine command, SupportBotOptions options, OrdersDatabase orders, TextWriter output, CancellationToken ct)
    {
        using var model = SupportModel.Of(options);
        using var remote = ServerOf(command) is { } server
            ? new RemoteLoop(server, Environment.GetEnvironmentVariable("FLYWHEEL_API_KEY"))
            : null;
        // Without a server the engine runs inside this process, over a file of its own.
        await using var engine = remote is null
            ? await EmbeddedEngine.StartAsync(await FlywheelStore.OpenAsync("sqlite:" + OwnFile, null, ct), new() { Work = false }, ct)
            : null;
        await using var flywheel = new FlywheelConnection(remote ?? (ILoop)engine!);
        var pipeline = new SupportPipeline(model, orders, options, (node, kind, inner) => inner.UseFlywheel(flywheel, node, kind));
        var message = new SupportMessage("console", command.Text!, Intent: "", Language: "", command.Customer, Session: "console");

        Write(await pipeline.AskAsync(message, ct), output);
        await flywheel.DisposeAsync();
        if (flywheel.Statistics.LastFailure is { } failure)
            output.WriteLine($"\nFlywheel: {failure}");
        else if (engine is not null)
            output.WriteLine($"Recorded in {OwnFile}: look with `flywheel review --db sqlite:{OwnFile}`, or serve it.");
    }

    static Uri? ServerOf(CommandLine command) =>
        command.Server ?? (Environment.GetEnvironmentVariable("FLYWHEEL_URL") is { Length: > 0 } url ? CommandLine.AddressIn("FLYWHEEL_URL", url) : null);

    static void Write(SupportAnswer answer, TextWriter output)
    {
        output.WriteLine($"route   {string.Join(" → ", answer.Steps.Select(step => step.Node))}");
        output.WriteLine($"intent  {answer.Intent}");
        output.WriteLine($"sql     {answer.Sql ?? "none needed"}");
        if (answer.Orders is { Error: { } error })
            output.WriteLine($"error   {error}");
        foreach (var row in answer.Orders?.Rows ?? [])
            output.WriteLine($"row     {string.Join(", ", row.Select(column => $"{column.Key}: {column.Value?.ToString() ?? "–"}"))}");
        output.WriteLine($"answer  {answer.Text}");
        output.WriteLine($"trace   {answer.Root.Trace}");
    }
}
