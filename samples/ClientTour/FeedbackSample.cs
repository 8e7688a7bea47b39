using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Labeling;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace ClientTour;

/// <summary>What people and the application say of an answer. With an outbox none of it depends on the server being there.</summary>
static class FeedbackSample
{
    public static async Task RunAsync(Uri server, string outbox, CancellationToken ct)
    {
        using var loop = new RemoteLoop(server);
        await using var connection = new FlywheelConnection(loop, new() { Outbox = outbox });
        var intent = ShopModel.Classifier().UseFlywheel(connection, "intent", NodeKind.Classifier);
        var answer = await intent.GetResponseAsync([new(ChatRole.System, ShopModel.Intents), new(ChatRole.User, "Why was I charged twice?")], cancellationToken: ct);
        await connection.StoreAsync(ct);

        var key = answer.SpanKey()!.Value;
        using var api = new FlywheelApi(connection);
        await api.FeedbackAsync(key.Trace, key.Span, "solved", true, comment: "quick", ct: ct);
        await api.CorrectAsync(key, correctedOutput: "billing", wentWrong: "not about a device", author: "bo", ct: ct);
        try
        {
            await api.LabelAsync(key, metric: "polite", passed: true, LabelMode.Blind, author: "bo", ct: ct);
        }
        catch (Exception refused) when (refused is BatchRefusedException or HttpRequestException)
        {
            Console.WriteLine($"the label was refused, as it is where no metric has this name: {refused.Message}");
        }
        Console.WriteLine($"said of {key}: {connection.Statistics.Stored} waiting for the server");
    }
}
