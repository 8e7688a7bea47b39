using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Flywheel.Demo;
using Flywheel.Demo.Orders;

namespace SupportBot.Tests;

public sealed class ProviderTests
{
    [Fact]
    public async Task A_provider_that_speaks_openai_answers_every_node()
    {
        using var server = new HttpListener();
        var port = FreePort();
        server.Prefixes.Add($"http://127.0.0.1:{port}/");
        server.Start();
        var requests = new List<(string Path, string? Key, JsonNode Body)>();
        var serving = ServeAsync(server, requests);
        using var orders = OrdersDatabase.Create();
        var options = new SupportBotOptions { Endpoint = new($"http://127.0.0.1:{port}/v1"), ApiKey = "secret", Model = "tiny" };
        using var model = SupportModel.Of(options);
        var message = SupportMessages.Load()[0];

        var answer = await new SupportPipeline(model, orders, options).AskAsync(message, TestContext.Current.CancellationToken);
        server.Stop();
        await serving;

        Assert.Equal("technical", answer.Intent);
        Assert.Equal("technical says the model", answer.Text);
        Assert.Equal(4, requests.Count);
        Assert.All(requests, request => Assert.Equal(("/v1/chat/completions", "Bearer secret"), (request.Path, request.Key)));
        Assert.All(requests, request => Assert.Equal("tiny", (string?)request.Body["model"]));
        Assert.Equal(["system", "user"], requests[0].Body["messages"]!.AsArray().Select(one => (string?)one!["role"]));
        Assert.Contains(message.Text, requests[0].Body["messages"]![1]!.ToString(), StringComparison.Ordinal);
    }

    static async Task ServeAsync(HttpListener server, List<(string Path, string? Key, JsonNode Body)> requests)
    {
        while (server.IsListening)
        {
            HttpListenerContext call;
            try
            {
                call = await server.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            using var reader = new StreamReader(call.Request.InputStream);
            var body = JsonNode.Parse(await reader.ReadToEndAsync())!;
            requests.Add((call.Request.Url!.AbsolutePath, call.Request.Headers["Authorization"], body));
            // The SQL node is the only one whose instructions hold the schema.
            var text = body["messages"]![0]!.ToString().Contains("CREATE TABLE", StringComparison.Ordinal) ? "NONE" : "technical says the model";
            call.Response.ContentType = "application/json";
            call.Response.Close(Encoding.UTF8.GetBytes(new JsonObject
            {
                ["id"] = "c1",
                ["object"] = "chat.completion",
                ["created"] = 1_700_000_000,
                ["model"] = "tiny",
                ["choices"] = new JsonArray(new JsonObject
                {
                    ["index"] = 0,
                    ["finish_reason"] = "stop",
                    ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text },
                }),
            }.ToJsonString()), willBlock: true);
        }
    }

    static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
