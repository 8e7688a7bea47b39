using ClientTour;

var samples = new Dictionary<string, (string What, Func<Uri, string[], CancellationToken, Task> Run)>
{
    ["remote"] = ("one line around a chat client, recorded by a server", (server, _, ct) => RemoteSample.RunAsync(server, ct)),
    ["outbox"] = ("the same with an outbox in FOLDER, call after call until stopped: kill it, restart it", (server, args, ct) => OutboxSample.RunAsync(server, args.ElementAtOrDefault(0) ?? "outbox", ct)),
    ["aspnet"] = ("AddFlywheel in an ASP.NET Core application", (server, args, ct) => AspNetCoreSample.RunAsync(server, args, ct)),
    ["embedded"] = ("the engine inside this process, over a file of its own; a person's fix improves the next answer", (_, args, ct) => EmbeddedSample.RunAsync(args.ElementAtOrDefault(0) ?? "flywheel.db", ct)),
    ["agent"] = ("an agent of Microsoft.Agents.AI with a tool", (server, _, ct) => AgentSample.RunAsync(server, ct)),
    ["steps"] = ("steps that are no model call", (server, _, ct) => StepsSample.RunAsync(server, ct)),
    ["feedback"] = ("feedback, a label and a correction, with an outbox in FOLDER", (server, args, ct) => FeedbackSample.RunAsync(server, args.ElementAtOrDefault(0) ?? "outbox", ct)),
    ["prompts"] = ("a prompt of the registry, with one in reserve", (server, _, ct) => PromptsSample.RunAsync(server, ct)),
};
if (args is not [var name, .. var rest] || !samples.TryGetValue(name, out var sample))
{
    Console.Error.WriteLine("Usage: ClientTour SAMPLE [ARGUMENT]   (the server is FLYWHEEL_URL, or http://127.0.0.1:5151)");
    foreach (var (word, (what, _)) in samples)
        Console.Error.WriteLine($"  {word,-9} {what}");
    return 2;
}
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
try
{
    await sample.Run(new(Environment.GetEnvironmentVariable("FLYWHEEL_URL") ?? "http://127.0.0.1:5151"), rest, stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}
catch (HttpRequestException away)
{
    Console.Error.WriteLine($"The server did not answer as it should: {away.Message} Start one with `flywheel serve`, or set FLYWHEEL_URL.");
    return 1;
}
