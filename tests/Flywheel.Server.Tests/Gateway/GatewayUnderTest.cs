using System.Text;
using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.TestServer;

namespace Flywheel.Server.Tests.Gateway;

/// <summary>The real server with a scripted provider behind its gateway.</summary>
public sealed class GatewayUnderTest : IAsyncDisposable
{
    public const string ProviderKey = "sk-provider-secret";

    GatewayUnderTest(RunningServer server, ModelTestServer provider) => (Server, Provider) = (server, provider);

    public RunningServer Server { get; }

    public ModelTestServer Provider { get; }

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="endpoint">Instead of the scripted provider's.</param>
    public static async Task<GatewayUnderTest> StartAsync(Uri? endpoint = null, bool tls = false, params (string, string)[] settings)
    {
        var provider = await ModelTestServer.StartAsync(tls);
        var server = await RunningServer.StartAsync([
            ("Gateway:Providers:test:endpoint", (endpoint ?? provider.OpenAI).ToString()), ("Gateway:Providers:test:api_key", ProviderKey),
            ("Gateway:Providers:test:models:0:model", "m*"), ("Gateway:Providers:test:models:0:input_usd_per_million", "1000000"),
            ("Gateway:Providers:test:models:0:output_usd_per_million", "2000000"), .. settings]);
        return new(server, provider);
    }

    /// <summary>The secret of a new key.</summary>
    public async Task<string> KeyAsync(KeyScope scope = KeyScope.Models)
    {
        var secret = KeySecret.New();
        await Server.Store.Projects.AddKeyAsync(
            new(Guid.CreateVersion7(), ProjectId.Default, "test", secret[..10], scope, DateTimeOffset.UtcNow, null, null),
            KeySecret.HashOf(secret), Ct);
        return secret;
    }

    public async Task PolicyAsync(string node, object settings)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/v1/nodes/{node}/gateway")
        {
            Content = new StringContent(JsonSerializer.Serialize(new { settings }), Encoding.UTF8, "application/json"),
        };
        var (status, body) = await Server.SendAsync(request);
        Assert.True(status == 200, body.ToString());
    }

    public static string Chat(string text, string model = "m", bool stream = false, string more = "") => $$"""
        {"model":{{JsonSerializer.Serialize(model)}},"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":{{JsonSerializer.Serialize(text)}}}],"stream":{{(stream ? "true" : "false")}}{{more}}}
        """;

    public async Task<GatewayAnswer> PostAsync(string json, string path = "chat/completions", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post, "/openai/v1/" + path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        var text = await response.Content.ReadAsStringAsync(Ct);
        return new(
            (int)response.StatusCode, text,
            response.Headers.Concat(response.Content.Headers)
                .ToDictionary(each => each.Key, each => string.Join(",", each.Value), StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>The span that an answer names; it is there as soon as the answer is.</summary>
    public async Task<NewSpan> SpanAsync(GatewayAnswer answer) =>
        (await Server.Store.Spans.FindAsync(
            ProjectId.Default, new(answer.Headers["x-flywheel-trace"], answer.Headers["x-flywheel-span"]), Ct))?.Content
        ?? throw new Xunit.Sdk.XunitException($"The span of this answer is not stored: {answer.Status} {answer.Text}");

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Provider.DisposeAsync();
    }
}

public sealed record GatewayAnswer(int Status, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonElement.Parse(Text);

    public string? ErrorCode => Json.GetProperty("error").GetProperty("code").ToString();

    public string Content => Json.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
}
