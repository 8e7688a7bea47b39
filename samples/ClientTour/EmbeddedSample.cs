using Flywheel.Client;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Embedded;
using Flywheel.Storage;
using Microsoft.Extensions.AI;

namespace ClientTour;

/// <summary>The whole loop in this process: a question is answered, a person fixes the answer, the next one like it is better.</summary>
static class EmbeddedSample
{
    public static async Task RunAsync(string file, CancellationToken ct)
    {
        await using var engine = await EmbeddedEngine.StartAsync(await FlywheelStore.OpenAsync("sqlite:" + file, ct: ct), ct: ct);
        await using var connection = new FlywheelConnection(engine);
        var intent = ShopModel.Classifier().UseFlywheel(connection, "intent", NodeKind.Classifier);

        var first = await AskAsync("My kettle leaks, who pays me back?");
        await connection.FlushAsync(ct);
        await FixAsync(engine, first.SpanKey()!.Value, "technical", ct);
        var second = await AskAsync("My kettle leaks, who will pay me back?");

        Console.WriteLine($"before {first.Text}, after a fix {second.Text}");

        Task<ChatResponse> AskAsync(string message) =>
            intent.GetResponseAsync([new(ChatRole.System, ShopModel.Intents), new(ChatRole.User, message)], cancellationToken: ct);
    }

    /// <summary>A correction, and the approval without which nobody's text enters a prompt.</summary>
    static async Task FixAsync(EmbeddedEngine engine, SpanKey key, string output, CancellationToken ct)
    {
        var (store, project, now) = (engine.Store, ProjectId.Default, TimeProvider.System.GetUtcNow());
        var span = await store.Spans.FindAsync(project, key, ct) ?? throw new InvalidOperationException("The span is not there.");
        var correction = Guid.CreateVersion7();
        await store.Corrections.AddAsync(new(correction, project, span.Id, "it is about the device", output, null, "ana", now), ct);
        var demonstration = await store.Demonstrations.OfSourceAsync(project, correction, ct);
        await store.Demonstrations.ApproveAsync(project, [demonstration!.Id], "ana", now, ct);
        // The workers give it its place in the index within a second.
        while ((await engine.DemonstrateAsync(new("intent", "kettle"), ct)).All(each => each.Id != demonstration.Id))
            await Task.Delay(100, ct);
    }
}
