using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core;
using Flywheel.Core.Traces;
using Flywheel.Engine.Embedded;
using Flywheel.Storage;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>The examples of the README files and of docs/prompts.md, word for word: they compile.</summary>
static class ReadmeExamples
{
    public static IChatClient Root(IChatClient model, ILoop loop)
    {
        IChatClient intent = model.UseFlywheel(loop, node: "intent", kind: NodeKind.Classifier);
        return intent;
    }

    public static async Task<ChatResponse> PackagesAsync(IChatClient model)
    {
        await using var engine = await EmbeddedEngine.StartAsync(await FlywheelStore.OpenAsync("sqlite:flywheel.db"));
        await using var connection = new FlywheelConnection(engine);

        IChatClient intent = model.UseFlywheel(connection, node: "intent", kind: NodeKind.Classifier);
        return await intent.GetResponseAsync("hi");
    }

    public static async Task<ChatResponse> ClientAsync(IChatClient model)
    {
        var loop = new RemoteLoop(new Uri("http://127.0.0.1:5151"), key: Environment.GetEnvironmentVariable("FLYWHEEL_API_KEY"));
        await using var connection = new FlywheelConnection(loop, new FlywheelOptions { Outbox = "/var/lib/shop/flywheel" });

        IChatClient intent = model.UseFlywheel(connection, node: "intent", kind: NodeKind.Classifier);
        return await intent.GetResponseAsync("hi");
    }

    public static void Hosting(IHostApplicationBuilder builder, IChatClient model)
    {
        builder.Services.AddFlywheel();          // section "Flywheel": Server, ApiKey, Project, Outbox, …
        builder.Services.AddChatClient(model).UseFunctionInvocation().UseFlywheel("intent", NodeKind.Classifier);
    }

    public static async Task<ChatResponse> PromptsAsync(IChatClient greet, string question, CancellationToken ct)
    {
        var prompts = new FlywheelPrompts(new FlywheelApi(new Uri("http://127.0.0.1:5151")));

        var prompt = await prompts.GetAsync("greet", ct: ct);
        var answer = await greet.GetResponseAsync([.. prompt.Messages(("customer", "Ada"), ("language", "Latin")), new(ChatRole.User, question)], cancellationToken: ct);
        return answer;
    }
}
