using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace ClientTour;

/// <summary>One line makes a chat client a node of the loop.</summary>
static class RemoteSample
{
    public static async Task RunAsync(Uri server, CancellationToken ct)
    {
        using var loop = new RemoteLoop(server, key: Environment.GetEnvironmentVariable("FLYWHEEL_API_KEY"));
        await using var connection = new FlywheelConnection(loop);
        IChatClient intent = ShopModel.Classifier().UseFlywheel(connection, "intent", NodeKind.Classifier);

        var answer = await intent.GetResponseAsync(
            [new(ChatRole.System, ShopModel.Intents), new(ChatRole.User, "Why was I charged twice?")], cancellationToken: ct);

        Console.WriteLine($"{answer.Text}  (span {answer.SpanKey()})");
        await connection.DisposeAsync();
        Console.WriteLine(connection.Statistics);
    }
}
