using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Server.Hosting;
using Microsoft.Extensions.Configuration;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

public sealed class AccessTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_key_a_guarded_server_answers_only_its_health()
    {
        await using var server = await StartAsync(("Auth", "Keys"));

        Assert.Equal(401, (await server.GetAsync("/api/v1/traces")).Status);
        Assert.Equal(401, (await server.AddSpansAsync(Span("t", "s"))).Status);
        Assert.Equal(200, (await server.GetAsync("/healthz")).Status);
        Assert.Equal(200, (await server.GetAsync("/readyz")).Status);
    }

    [Theory]
    [InlineData(KeyScope.Ingest, 200, 403, 403)]
    [InlineData(KeyScope.Read, 403, 200, 403)]
    [InlineData(KeyScope.Admin, 200, 200, 201)]
    public async Task A_key_may_do_what_its_scope_says(KeyScope scope, int ingest, int read, int admin)
    {
        await using var server = await StartAsync(("Auth", "Keys"));
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", await KeyAsync(server, "one", scope));

        Assert.Equal(ingest, (await server.AddSpansAsync(Span("t", "s"))).Status);
        Assert.Equal(read, (await server.GetAsync("/api/v1/traces")).Status);
        Assert.Equal(admin, (
            await server.PostAsync("/api/v1/metrics", """{"name":"m","criterion":"c","validator":{"kind":"length","max":4}}""")).Status);
    }

    [Fact]
    public async Task A_wrong_revoked_or_expired_key_is_refused_even_where_none_is_needed()
    {
        await using var server = await StartAsync();
        var secret = await KeyAsync(server, "one", KeyScope.Admin, revoked: true);
        var expired = await KeyAsync(server, "one", KeyScope.Admin, expires: DateTimeOffset.UtcNow.AddSeconds(-1));

        foreach (var header in new[] { "Bearer wrong", "Bearer " + secret, "Bearer " + expired, "Basic abc", "Bearer" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/traces");
            request.Headers.TryAddWithoutValidation("Authorization", header);
            Assert.Equal(401, (await server.SendAsync(request)).Status);
        }
    }

    [Fact]
    public async Task A_key_sees_its_own_project_and_no_other()
    {
        await using var server = await StartAsync();
        var one = await KeyAsync(server, "one", KeyScope.Admin);
        var two = await KeyAsync(server, "two", KeyScope.Admin);
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", one);
        Assert.Equal(200, (await server.AddSpansAsync(Span("secret-trace", "s"))).Status);
        Assert.Equal(200, (await server.GetAsync("/api/v1/traces/secret-trace")).Status);

        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", two);
        var (foreign, _) = await server.GetAsync("/api/v1/traces/secret-trace");
        var (label, _) = await server.PostAsync(
            "/api/v1/corrections", """{"trace_id":"secret-trace","span_id":"s","corrected_output":"x"}""");
        using var named = new HttpRequestMessage(HttpMethod.Get, "/api/v1/traces");
        named.Headers.Add("x-flywheel-project", "one");
        var (header, problem) = await server.SendAsync(named);

        Assert.Equal(404, foreign);
        Assert.Equal(404, label);
        Assert.Equal(403, header);
        Assert.Equal("foreign_project", problem.GetProperty("code").GetString());
    }

    [Fact]
    public async Task An_unknown_project_is_named()
    {
        await using var server = await StartAsync();

        var (status, problem) = await server.PostAsync("/api/v1/spans", """{"spans":[]}""", ("x-flywheel-project", "nobody"));

        Assert.Equal(404, status);
        Assert.Equal("unknown_project", problem.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("Host", "0.0.0.0", "Auth", "Off")]
    [InlineData("Port", "70000", "Auth", "Auto")]
    [InlineData("Host", "nowhere", "Auth", "Auto")]
    [InlineData("CodeConcurrency", "0", "Auth", "Auto")]
    [InlineData("Db", "mysql://x", "Auth", "Auto")]
    [InlineData("Port", "many", "Auth", "Auto")]
    public async Task Settings_that_cannot_work_stop_the_start(string key, string value, string key2, string value2)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [key] = value, [key2] = value2 })
            .Build();

        await Assert.ThrowsAnyAsync<FlywheelException>(async () => await FlywheelHost.BuildAsync(settings, Ct));
    }

    [Fact]
    public async Task Beyond_loopback_keys_are_needed_unasked()
    {
        Assert.True(new ServerOptions { Host = "0.0.0.0" }.RequiresKeys);
        Assert.False(new ServerOptions { Host = "127.0.0.1" }.RequiresKeys);
        await Task.CompletedTask;
    }

    static async Task<string> KeyAsync(
        RunningServer server, string project, KeyScope scope, bool revoked = false, DateTimeOffset? expires = null)
    {
        var owner = await server.Store.Projects.EnsureAsync(project, DateTimeOffset.UtcNow, Ct);
        var secret = KeySecret.New();
        var key = new ApiKey(Guid.CreateVersion7(), owner.Id, "test", secret[..10], scope, DateTimeOffset.UtcNow, expires, null);
        await server.Store.Projects.AddKeyAsync(key, KeySecret.HashOf(secret), Ct);
        if (revoked)
            await server.Store.Projects.RevokeKeyAsync(owner.Id, key.Id, DateTimeOffset.UtcNow, Ct);
        return secret;
    }
}
