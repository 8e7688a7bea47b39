using System.ClientModel;
using System.ClientModel.Primitives;
using Flywheel.TestServer;
using OpenAI;
using OpenAI.Chat;

namespace Flywheel.Server.Tests.Gateway;

/// <summary>The .NET OpenAI SDK, changed in its base URL and key only.</summary>
public sealed class DotNetClientTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Plain_streamed_tool_and_failing_calls_work_and_are_recorded_to_the_byte()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(settings: ("Auth", "keys"));
        const string Said = "Zwölf \"Zitronen\"\n\tkosten 3 € 😀";
        gateway.Provider.Then(
            ModelReply.Says(Said), ModelReply.Says(Said), ModelReply.Calls("weather", """{"city":"Köln"}"""),
            ModelReply.Fails(400, message: "no such thing"));
        var client = new OpenAIClient(new ApiKeyCredential(await gateway.KeyAsync()), new OpenAIClientOptions
        {
            Endpoint = new Uri(gateway.Server.Http.BaseAddress!, "openai/v1"), RetryPolicy = new ClientRetryPolicy(0),
        }).GetChatClient("fruit::m");

        var plain = await client.CompleteChatAsync([new UserChatMessage(Said)], cancellationToken: Ct);
        var streamed = "";
        await foreach (var update in client.CompleteChatStreamingAsync([new UserChatMessage(Said)], cancellationToken: Ct))
            streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));
        var tool = await client.CompleteChatAsync(
            [new UserChatMessage("weather?")], new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("weather") } }, Ct);
        var failure = await Assert.ThrowsAsync<ClientResultException>(
            () => client.CompleteChatAsync([new UserChatMessage("x")], cancellationToken: Ct));
        var spans = await gateway.Server.Store.Spans.AfterAsync(Core.Projects.ProjectId.Default, default, "fruit", 10, Ct);

        Assert.Equal((Said, Said), (plain.Value.Content[0].Text, streamed));
        Assert.Equal("weather", tool.Value.ToolCalls[0].FunctionName);
        Assert.Equal(400, failure.Status);
        Assert.Contains("no such thing", failure.Message, StringComparison.Ordinal);
        Assert.Equal([Said, Said, """[{"name":"weather","arguments":{"city":"Köln"}}]""", null], spans.Select(span => span.Content.Output));
        Assert.Equal([Said, Said, "weather?", "x"], spans.Select(span => span.Content.Input));
        Assert.Equal("upstream_refused: no such thing", spans[3].Content.Error);
    }
}
