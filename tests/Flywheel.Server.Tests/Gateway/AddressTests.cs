using System.Text.Json;
using Flywheel.TestServer;

namespace Flywheel.Server.Tests.Gateway;

/// <summary>Addresses of providers come from the settings only: no request, policy or redirect makes the server call another.</summary>
public sealed class AddressTests
{
    /// <summary>Ways to write the canary's address, and those that servers of clouds give their secrets at.</summary>
    static string[] Forms(Uri canary)
    {
        var port = canary.Port;
        string[] hosts =
        [
            "127.0.0.1", "localhost", "localhost.", "0.0.0.0", "127.1", "127.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001",
            "0177.0.0.1",
            "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "127.0.0.1.nip.io", "①②⑦.⓪.⓪.①",
            "user:pass@127.0.0.1",
            "api.openai.com@127.0.0.1",
        ];
        return
        [
            .. hosts.SelectMany(host => new[] { $"http://{host}:{port}/v1", $"//{host}:{port}/v1", $"{host}:{port}" }),
            $"http://127.0.0.1:{port}#@api.openai.com", $"http:\\\\127.0.0.1:{port}", "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd", "gopher://127.0.0.1:1/x",
        ];
    }

    [Fact]
    public async Task No_request_reaches_an_address_that_the_settings_do_not_name()
    {
        await using var canary = (await ModelTestServer.StartAsync()).Otherwise(_ => ModelReply.Says("canary"));
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Otherwise(_ => ModelReply.Says("ok"));
        var forms = Forms(canary.Address);
        Assert.True(forms.Length >= 60);

        foreach (var form in forms)
        {
            var quoted = JsonSerializer.Serialize(form);
            foreach (var body in new[]
            {
                GatewayUnderTest.Chat("x", form), GatewayUnderTest.Chat("x", form + "/m"),
                GatewayUnderTest.Chat("x", "node::" + form + "/m"),
                GatewayUnderTest.Chat(
                    "x", more: $",\"api_base\":{quoted},\"base_url\":{quoted},\"endpoint\":{quoted},\"url\":{quoted},\"api_key\":\"stolen\""),
            })
                await gateway.PostAsync(
                    body, headers: [("x-base-url", Ascii(form)), ("x-flywheel-provider", Ascii(form)), ("api-base", Ascii(form)),
                        ("Forwarded", "host=" + Ascii(form)), ("X-Forwarded-Host", Ascii(form))]);
        }
        Assert.Empty(canary.Requests);
        // They did reach the provider that the settings name, with its own key.
        Assert.NotEmpty(gateway.Provider.Requests);
        Assert.All(gateway.Provider.Requests, request =>
            Assert.Equal("Bearer " + GatewayUnderTest.ProviderKey, request.Headers["Authorization"]));

        static string Ascii(string text) => new([.. text.Select(c => c < 128 ? c : '?')]);
    }

    [Fact]
    public async Task A_policy_and_a_redirect_reach_no_other_address_either()
    {
        await using var canary = (await ModelTestServer.StartAsync()).Otherwise(_ => ModelReply.Says("canary"));
        await using var gateway = await GatewayUnderTest.StartAsync(
            settings: [("Gateway:Default", "test"), ("Gateway:Providers:allowed:endpoint", canary.OpenAI.ToString())]);
        foreach (var status in new[] { 301, 302, 303, 307, 308 })
            gateway.Provider.Then(ModelReply.Answers(status, "", "text/plain", canary.OpenAI + "/chat/completions"));
        await gateway.PolicyAsync("chat", new { retries = 0 });
        for (var i = 0; i < 5; i++)
            Assert.Equal("upstream_redirect", (await gateway.PostAsync(GatewayUnderTest.Chat("x"))).ErrorCode);

        gateway.Provider.Otherwise(_ => ModelReply.Says("ok"));
        foreach (var form in Forms(canary.Address).Where(form => form.Length <= 200))
        {
            await gateway.PolicyAsync("bent", new { model = form, fallbacks = new[] { form + "/m" }, retries = 0 });
            await gateway.PostAsync(GatewayUnderTest.Chat("x", "bent::m"));
        }
        Assert.Empty(canary.Requests);

        // The canary hears what the settings send it: the test can fail. And it is sent no key, for it has none.
        Assert.Equal("canary", (await gateway.PostAsync(GatewayUnderTest.Chat("x", "allowed/m"))).Content);
        Assert.False(Assert.Single(canary.Requests).Headers.ContainsKey("Authorization"));
    }
}
