using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Validators;
using Flywheel.Validators.Webhooks;

namespace Flywheel.Server.Tests;

public class WebhookTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://127.0.0.1/x")]
    [InlineData("https://2130706433/x")]
    [InlineData("https://0177.0.0.1/x")]
    [InlineData("https://0x7f.1/x")]
    [InlineData("https://127.1/x")]
    [InlineData("https://10.1.2.3/x")]
    [InlineData("https://172.31.255.255/x")]
    [InlineData("https://192.168.0.1/x")]
    [InlineData("https://100.64.0.1/x")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://0.0.0.0/x")]
    [InlineData("https://[::1]/x")]
    [InlineData("https://[::]/x")]
    [InlineData("https://[::ffff:127.0.0.1]/x")]
    [InlineData("https://[::ffff:a00:1]/x")]
    [InlineData("https://[fd00::1]/x")]
    [InlineData("https://[fe80::1]/x")]
    [InlineData("https://[64:ff9b::7f00:1]/x")]
    [InlineData("https://[2002:7f00:1::]/x")]
    [InlineData("https://inner.example/x")]
    [InlineData("https://mixed.example/x")]
    [InlineData("http://outer.example/x")]
    [InlineData("https://user:secret@outer.example/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://outer.example/")]
    [InlineData("/relative")]
    public void An_address_that_is_not_public_is_refused_when_saved(string url)
    {
        using var services = Services();

        Assert.Equal("url", Assert.Throws<ValidatorSettingsException>(() => Make(services, url)).Setting);
        Make(services, "https://outer.example/x");
        Make(services, "https://93.184.216.34/x");
    }

    [Fact]
    public async Task A_name_that_turns_private_after_saving_is_refused_at_the_connection()
    {
        using var canary = new Canary(_ => (200, """{"outcome":"pass"}"""));
        var address = IPAddress.Parse("93.184.216.34");
        using var services = new WebhookServices(keys: SigningKeys, resolve: (_, _) => Task.FromResult(new[] { address }));
        var validator = Make(services, $"https://turns.example:{canary.Port}/x");
        address = IPAddress.Loopback;

        var finding = await validator.CheckAsync(new("text", null), Ct);

        Assert.Equal(Outcome.Error, finding.Outcome);
        Assert.Contains("127.0.0.1", finding.Reason, StringComparison.Ordinal);
        Assert.Equal(0, canary.Hits);
    }

    [Fact]
    public async Task An_allowed_service_gets_a_signed_text_and_decides()
    {
        using var canary = new Canary(request =>
        {
            var expected = "v1=" + Convert.ToHexStringLower(HMACSHA256.HashData(
                Encoding.UTF8.GetBytes("open sesame"), Encoding.UTF8.GetBytes($"v1:{request.Timestamp}:{request.Body}")));
            var said = JsonDocument.Parse(request.Body).RootElement;
            return expected == request.Signature && said.GetProperty("text").GetString() == "too loud"
                && said.GetProperty("metric").GetString() == "m"
                ? (200, """{"outcome":"fail","score":3.5,"reason":"loud","confidence":0.9}""")
                : (200, """{"outcome":"pass"}""");
        });
        using var services = Services($"127.0.0.1:{canary.Port}");

        var finding = await Make(services, canary.Url).CheckAsync(new("too loud", null), Ct);

        Assert.Equal((Outcome.Fail, 3.5, "loud", 0.9), (finding.Outcome, finding.Score, finding.Reason, finding.Confidence));
        Assert.Equal(Outcome.Skipped, (await Make(services, canary.Url).CheckAsync(new(null, null), Ct)).Outcome);
        Assert.Equal(1, canary.Hits);
    }

    [Theory]
    [InlineData(200, "pass")]
    [InlineData(200, """{"outcome":"passed"}""")]
    [InlineData(200, """{"verdict":"pass"}""")]
    [InlineData(200, """[{"outcome":"pass"}]""")]
    [InlineData(200, """{"outcome":"pass","outcome":"fail"}""")]
    [InlineData(200, """{"outcome":"pass","confidence":7}""")]
    [InlineData(302, """{"outcome":"pass"}""")]
    public async Task A_reply_outside_the_contract_is_an_error_never_a_pass(int status, string reply)
    {
        using var canary = new Canary(_ => (status, reply));
        using var services = Services($"127.0.0.1:{canary.Port}");

        Assert.Equal(Outcome.Error, (await Make(services, canary.Url).CheckAsync(new("text", null), Ct)).Outcome);
        Assert.Equal(1, canary.Hits);
    }

    [Fact]
    public async Task Trouble_that_may_pass_is_a_fault_for_the_worker_to_retry()
    {
        using var canary = new Canary(_ => (503, ""));
        using var services = Services($"127.0.0.1:{canary.Port}");

        var fault = await Assert.ThrowsAsync<HttpRequestException>(
            async () => await Make(services, canary.Url).CheckAsync(new("text", null), Ct));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, fault.StatusCode);
    }

    [Fact]
    public async Task The_api_refuses_a_private_webhook_and_an_unknown_key()
    {
        await using var server = await RunningServer.StartAsync(("Webhooks:Keys:main", "open sesame"));

        var (status, problem) = await server.PostAsync(
            "/api/v1/metrics", """{"name":"m","criterion":"?","validator":{"kind":"webhook","url":"https://10.0.0.1/","key":"main"}}""");
        Assert.Equal((400, "validator.url"), (status, problem.GetProperty("field").GetString()));
        Assert.Contains("Webhooks:Allow", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        (status, problem) = await server.PostAsync(
            "/api/v1/metrics", """{"name":"m","criterion":"?","validator":{"kind":"webhook","url":"https://93.184.216.34/","key":"mian"}}""");
        Assert.Equal((400, "validator.key"), (status, problem.GetProperty("field").GetString()));
        Assert.Contains("`main`", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(201, (await server.PostAsync(
            "/api/v1/metrics", """{"name":"m","criterion":"?","validator":{"kind":"webhook","url":"https://93.184.216.34/","key":"main"}}""")).Status);
    }

    static readonly Dictionary<string, string> SigningKeys = new() { ["main"] = "open sesame" };

    static WebhookServices Services(params string[] allowed) =>
        new(allowed, SigningKeys, resolve: (host, _) => Task.FromResult<IPAddress[]>(host switch
    {
        "inner.example" => [IPAddress.Parse("10.0.0.7")],
        "mixed.example" => [IPAddress.Parse("93.184.216.34"), IPAddress.Loopback],
        _ => [IPAddress.Parse("93.184.216.34")],
    }));

    static IValidator Make(WebhookServices services, string url) => new ValidatorRegistry(LeafValidators.All(new() { Webhooks = services }))
        .Create(new("webhook", JsonSerializer.SerializeToElement(new { url, key = "main" })),
            new("m", "Is it quiet?", MetricSubject.Output));

    /// <summary>A service on loopback that counts who knocks.</summary>
    sealed class Canary : IDisposable
    {
        readonly HttpListener _listener = new();
        int _hits;

        public Canary(Func<(string Body, string? Signature, string? Timestamp), (int Status, string Body)> answer)
        {
            using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Port = ((IPEndPoint)probe.LocalEndpoint).Port;
            }
            _listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
            _listener.Start();
            _ = ServeAsync(answer);
        }

        public int Port { get; }
        public int Hits => _hits;
        public string Url => $"http://127.0.0.1:{Port}/check";

        public void Dispose() => _listener.Close();

        async Task ServeAsync(Func<(string Body, string? Signature, string? Timestamp), (int Status, string Body)> answer)
        {
            while (_listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
                Interlocked.Increment(ref _hits);
                using var reader = new StreamReader(context.Request.InputStream);
                var (status, body) = answer(
                    (await reader.ReadToEndAsync(), context.Request.Headers["X-Flywheel-Signature"],
                        context.Request.Headers["X-Flywheel-Timestamp"]));
                context.Response.StatusCode = status;
                if (status == 302)
                    context.Response.RedirectLocation = Url + "/again";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
                context.Response.Close();
            }
        }
    }
}
