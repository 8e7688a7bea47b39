using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Prompts;
using Flywheel.Core.Traces;

namespace ClientTour;

/// <summary>A wording that is kept in the registry; the span names the version that was used.</summary>
static class PromptsSample
{
    static readonly FlywheelPrompt Reserve = new(
        "intent", version: 0, PromptType.Chat, $$"""[{"role":"system","content":{{System.Text.Json.JsonSerializer.Serialize(ShopModel.Intents)}}},{"role":"user","content":"{{"{{message}}"}}"}]""");

    public static async Task RunAsync(Uri server, CancellationToken ct)
    {
        using var loop = new RemoteLoop(server);
        await using var connection = new FlywheelConnection(loop);
        using var api = new FlywheelApi(connection);
        var prompts = new FlywheelPrompts(api);
        var intent = ShopModel.Classifier().UseFlywheel(connection, "intent", NodeKind.Classifier);

        var prompt = await PromptAsync(prompts, ct);
        var answer = await intent.GetResponseAsync(prompt.Messages(("message", "Why was I charged twice?")), cancellationToken: ct);

        Console.WriteLine($"{answer.Text}  (prompt {prompt.Name}, version {prompt.Version})");
    }

    static async Task<FlywheelPrompt> PromptAsync(FlywheelPrompts prompts, CancellationToken ct)
    {
        try
        {
            return await prompts.GetAsync("intent", "production", fallback: Reserve, ct);
        }
        catch (HttpRequestException unknown) when (unknown.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            // Nobody has written it yet.
            return Reserve;
        }
    }
}
