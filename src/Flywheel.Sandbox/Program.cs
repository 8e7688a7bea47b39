using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Flywheel.Core.Sandboxing;
using Flywheel.SandboxChild;
using Flywheel.SandboxChild.Isolation;
using Flywheel.SandboxChild.Workers;

// A child of the sandbox: opens what it is told to, locks the door behind itself, then answers tasks until its parent closes the pipe.
const int MaxTaskBytes = 16 << 20;
using var input = Console.OpenStandardInput();
using var output = Console.OpenStandardOutput();
if (await Frames.ReadAsync(input, MaxTaskBytes, default) is not { } first)
    return 0;
var opening = JsonSerializer.Deserialize(first, SandboxJson.Default.SandboxOpening)!;
using var watch = new SelfWatch();

IWorker worker;
try
{
    watch.Arm(30_000);
    worker = await SandboxEngines.OpenAsync(opening);
    watch.Disarm();
}
catch (Exception e) when (e is OpeningException or IOException)
{
    await SendAsync(new(e.Message, [], []), SandboxJson.Default.SandboxReady);
    return 0;
}
using var opened = worker;
var door = ProcessIsolation.Lock(opening.MemoryMb);
await SendAsync(worker.Ready
with { Layers = [.. worker.Ready.Layers, .. door.Held], MissingLayers = [.. worker.Ready.MissingLayers, .. door.Missing] },
    SandboxJson.Default.SandboxReady);
while (await Frames.ReadAsync(input, MaxTaskBytes, default) is { } task)
    await Frames.WriteAsync(output, worker.Answer(task, watch), default);
return 0;

async Task SendAsync<T>(T message, JsonTypeInfo<T> type) =>
    await Frames.WriteAsync(output, JsonSerializer.SerializeToUtf8Bytes(message, type), default);
