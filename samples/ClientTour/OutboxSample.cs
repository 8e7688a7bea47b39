using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace ClientTour;

/// <summary>Says of each call that it is safe once it is, whether or not the server is there.</summary>
static class OutboxSample
{
    /// <param name="folder">A dash does without an outbox.</param>
    public static async Task RunAsync(Uri server, string folder, CancellationToken ct)
    {
        using var loop = new RemoteLoop(server);
        await using var connection = new FlywheelConnection(loop, new() { Outbox = folder == "-" ? null : folder, MaxRetry = TimeSpan.FromSeconds(1) });
        using var model = ShopModel.Classifier();
        var intent = model.UseFlywheel(connection, "intent", NodeKind.Classifier, node => (node.UseDemonstrations, node.UseGuards) = (false, false));
        while (true)
        {
            var answer = await intent.GetResponseAsync([new(ChatRole.System, ShopModel.Intents), new(ChatRole.User, "Why was I charged twice?")], cancellationToken: ct);
            if (folder != "-")
                await connection.StoreAsync(ct);
            Console.WriteLine($"safe {answer.SpanKey()}");
            await Task.Delay(5, ct);
        }
    }
}
