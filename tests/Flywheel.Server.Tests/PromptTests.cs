using System.Text;
using System.Text.Json;
using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Prompts;
using Flywheel.Server.Tests.Gateway;
using Flywheel.TestServer;
using Microsoft.Extensions.AI;

namespace Flywheel.Server.Tests;

/// <summary>The prompt registry over HTTP, through the client and through the gateway.</summary>
public sealed class PromptTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static async Task<JsonElement> OkAsync(Task<(int Status, JsonElement Body)> answer)
    {
        var (status, body) = await answer;
        Assert.True(status is >= 200 and < 300, $"{status} {body}");
        return body;
    }

    static Task<(int Status, JsonElement Body)> PutAsync(RunningServer server, string path, object body) =>
        server.SendAsync(new HttpRequestMessage(
            HttpMethod.Put, path) { Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json") });

    static Task<JsonElement> AddAsync(
        RunningServer server, object template, string name = "greet", string[]? labels = null, object? config = null) =>
        OkAsync(server.PostAsync($"/api/v1/prompts/{name}/versions", new { template, labels, config, author = "ann" }));

    [Fact]
    public async Task Versions_are_fetched_by_number_and_label_and_compared()
    {
        await using var server = await RunningServer.StartAsync();
        await AddAsync(server, "Be brief.\nSpeak {{language}}.\n", labels: ["production"]);
        await AddAsync(server, "Be brief.\nSpeak {{ language }} to {{name}}.\n", labels: ["staging"],
            config: new { model = "m", temperature = 0.5 });

        var production = await OkAsync(server.GetAsync("/api/v1/prompts/greet/versions/production"));
        var latest = await OkAsync(server.GetAsync("/api/v1/prompts/greet/versions/latest"));
        var diff = await OkAsync(server.GetAsync("/api/v1/prompts/greet/diff?from=production&to=staging"));
        var rendered = await OkAsync(
            server.PostAsync("/api/v1/prompts/greet/versions/2/render", new { variables = new { language = "{{name}}", name = "Ada" } }));
        var lacking = await server.PostAsync("/api/v1/prompts/greet/versions/2/render", new { variables = new { language = "Latin" } });
        var unknown = await server.GetAsync("/api/v1/prompts/greet/versions/canary");

        Assert.Equal((1, "Be brief.\nSpeak {{language}}.\n"),
            (production.GetProperty("version").GetInt32(), production.GetProperty("template").GetString()));
        Assert.Equal(["staging", "latest"], latest.GetProperty("labels").EnumerateArray().Select(each => each.GetString()!));
        Assert.Equal(["language", "name"], latest.GetProperty("variables").EnumerateArray().Select(each => each.GetString()!));
        Assert.Equal(
            "--- greet version 1\n+++ greet version 2\n@@ -1,2 +1,7 @@\n Be brief.\n-Speak {{language}}.\n+Speak {{ language }} to "
                + "{{name}}.\n+[config]\n+{\n+  \"model\": \"m\",\n+  \"temperature\": 0.5\n+}\n",
            diff.GetProperty("diff").GetString());
        // A value is text: it is not filled again.
        Assert.Equal("Be brief.\nSpeak {{name}} to Ada.\n", rendered.GetProperty("messages")[0].GetProperty("content").GetString());
        Assert.Equal((400, "missing_variables"), (lacking.Status, lacking.Body.GetProperty("code").GetString()));
        Assert.Equal((404, "unknown_prompt_version"), (unknown.Status, unknown.Body.GetProperty("code").GetString()));
        Assert.Contains("1 to 2", unknown.Body.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_prompt_that_cannot_work_is_refused_by_field()
    {
        await using var server = await RunningServer.StartAsync();
        foreach (var (body, code) in new[]
        {
            ("""{"template": ""}""", "invalid_template"),
            ("""{"template": 3}""", "invalid_template"),
            ("""{"template": []}""", "invalid_template"),
            ("""{"template": [{"role": "robot", "content": "x"}]}""", "invalid_template"),
            ("""{"template": [{"role": "user", "content": "x", "name": "y"}]}""", "invalid_template"),
            ("""{"template": "x", "config": [1]}""", "invalid_config"),
            ("""{"template": "x", "labels": ["latest"]}""", "invalid_labels"),
            ("""{"template": "x", "labels": ["7"]}""", "invalid_labels"),
        })
        {
            var (status, problem) = await server.PostAsync("/api/v1/prompts/p/versions", body);

            Assert.Equal((body, 400, code), (body, status, problem.GetProperty("code").GetString()));
        }
        Assert.Equal(404, (await server.GetAsync("/api/v1/prompts/p")).Status);
    }

    [Fact]
    public async Task A_protected_label_moves_only_when_a_person_signs_off()
    {
        await using var server = await RunningServer.StartAsync();
        await AddAsync(server, "one", labels: ["production"]);
        await AddAsync(server, "two");
        await OkAsync(PutAsync(server, "/api/v1/project/protected-labels", new { labels = new[] { "production" } }));

        var asked = await PutAsync(
            server, "/api/v1/prompts/greet/labels/production", new { version = 2, reason = "shorter", author = "bo" });
        var before = await OkAsync(server.GetAsync("/api/v1/prompts/greet/versions/production"));
        var proposal = (await OkAsync(server.GetAsync("/api/v1/prompt-proposals?state=proposed"))).GetProperty("proposals")[0];
        var (decided, _) = await server.PostAsync($"/api/v1/prompt-proposals/{proposal.GetProperty("id")}/approve", new { author = "cy" });
        var after = await OkAsync(server.GetAsync("/api/v1/prompts/greet/versions/production"));
        var again = await server.PostAsync($"/api/v1/prompt-proposals/{proposal.GetProperty("id")}/reject", new { author = "cy" });
        var audit = await OkAsync(server.GetAsync("/api/v1/audit"));

        Assert.Equal(202, asked.Status);
        Assert.Equal((1, 2), (before.GetProperty("version").GetInt32(), after.GetProperty("version").GetInt32()));
        Assert.Equal(("bo", 1, "shorter"),
            (proposal.GetProperty("author").GetString(), proposal.GetProperty("from").GetInt32(),
                proposal.GetProperty("reason").GetString()));
        Assert.Equal((204, 409), (decided, again.Status));
        Assert.Equal(
            [("prompt.label", "cy"), ("prompt.approve", "cy"), ("prompt.propose", "bo")],
            audit.GetProperty("entries").EnumerateArray().Take(3)
                .Select(each => (each.GetProperty("action").GetString()!, each.GetProperty("actor").GetString()!)));
        Assert.Equal(JsonValueKind.Null, audit.GetProperty("first_broken").ValueKind);
    }

    [Theory]
    [InlineData("""{"model":"greet::x","messages":[{"role":"system","content":"old"},{"role":"user","content":"hi"}],"prompt_variables":{"language":"Latin"}}""", "chat/completions")]
    [InlineData("""{"prompt_variables" : {"language":"Latin"} , "model":"greet::x","messages":[{"role":"user","content":"hi"}]}""",
        "chat/completions")]
    [InlineData("""{"model":"greet::x","metadata":{"language":"Latin"},"messages":[{"role":"developer","content":"a"},{"role":"system","content":"b"},{"role":"user","content":"hi"}]}""", "chat/completions")]
    public async Task The_gateway_puts_the_nodes_prompt_in_the_place_of_the_instructions(string request, string path)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Then(ModelReply.Says("salve"));
        await AddAsync(gateway.Server, "Speak \"{{language}}\" in {{node}}.",
            config: new { model = "m", temperature = 0.5, note = "no parameter" }, labels: ["production"]);
        await gateway.PolicyAsync("greet", new { prompt = "greet" });

        var answer = await gateway.PostAsync(request, path);
        var sent = gateway.Provider.Requests[0];
        var span = await gateway.SpanAsync(answer);
        var exact = await OkAsync(gateway.Server.GetAsync($"/api/v1/traces/{span.Key.Trace}/spans/{span.Key.Span}/prompt"));
        var view = await OkAsync(gateway.Server.GetAsync("/api/v1/prompts/greet"));

        Assert.Equal(200, answer.Status);
        Assert.Equal("m", sent.Model);
        Assert.Equal(0.5, sent.Body.GetProperty("temperature").GetDouble());
        Assert.False(sent.Body.TryGetProperty("prompt_variables", out _));
        Assert.False(sent.Body.TryGetProperty("note", out _));
        Assert.Equal(
            [("system", "Speak \"Latin\" in greet."), ("user", "hi")],
            sent.Body.GetProperty("messages").EnumerateArray()
                .Select(each => (each.GetProperty("role").GetString()!, each.GetProperty("content").GetString()!)));
        Assert.Equal(("greet", 1, true),
            (exact.GetProperty("prompt").GetString(), exact.GetProperty("version").GetInt32(), exact.GetProperty("exact").GetBoolean()));
        Assert.Equal(
            ["Speak \"Latin\" in greet.", "hi"],
            exact.GetProperty("messages").EnumerateArray().Select(each => each.GetProperty("content").GetString()!));
        Assert.Equal(1, view.GetProperty("uses")[0].GetProperty("spans").GetInt32());
    }

    [Fact]
    public async Task A_response_gets_the_prompt_too_and_its_text_stays_the_question()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.When(request => request.Path == "/v1/responses", _ => ModelReply.Sends(
            """{"id":"r1","object":"response","status":"completed","model":"m","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"salve"}]}]}"""));
        await AddAsync(gateway.Server, "Speak Latin.");
        await gateway.PolicyAsync("greet", new { prompt = "greet", prompt_version = 1 });

        var answer = await gateway.PostAsync("""{"model":"greet::m","instructions":"old","input":"hi"}""", "responses");
        var sent = gateway.Provider.Requests[0];

        Assert.Equal(200, answer.Status);
        Assert.Equal(["Speak Latin.", "hi"],
            sent.Body.GetProperty("input").EnumerateArray().Select(each => each.GetProperty("content").GetString()!));
        Assert.Equal(JsonValueKind.Null, sent.Body.GetProperty("instructions").ValueKind);
        Assert.Equal("hi", (await gateway.SpanAsync(answer)).Input);
    }

    [Fact]
    public async Task A_call_without_a_value_or_a_version_is_refused_and_no_provider_is_called()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        await AddAsync(gateway.Server, "Speak {{language}}.", labels: ["production"]);
        await gateway.PolicyAsync("greet", new { prompt = "greet" });

        var lacking = await gateway.PostAsync(GatewayUnderTest.Chat("hi", "greet::m"));
        var (status, problem) = await PutAsync(
            gateway.Server, "/api/v1/nodes/other/gateway", new { settings = new { prompt = "greet", prompt_label = "canary" } });

        Assert.Equal(400, lacking.Status);
        Assert.Contains("asks for language", lacking.Text);
        Assert.Empty(gateway.Provider.Requests);
        Assert.Equal((404, "unknown_prompt_version"), (status, problem.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task The_exact_prompt_shows_which_messages_are_demonstrations()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Then(ModelReply.Says("billing"), ModelReply.Says("technical"));
        await AddAsync(gateway.Server, "Route the message.", labels: ["production"]);
        await gateway.PolicyAsync("intent", new { prompt = "greet" });
        var first = await gateway.PostAsync(GatewayUnderTest.Chat("My kettle leaks", "intent::m"));
        var key = (await gateway.SpanAsync(first)).Key;
        var correction = await OkAsync(
            gateway.Server.PostAsync(
                "/api/v1/corrections", new { trace_id = key.Trace, span_id = key.Span, corrected_output = "technical" }));
        var id = correction.GetProperty("demonstration_id").GetString();
        await gateway.Server.PostAsync($"/api/v1/demonstrations/{id}/approve", "{}");

        // On a busy machine finding demonstrations may take longer than a call waits for them.
        var span = await gateway.SpanAsync(first);
        for (var i = 0; i < 50 && span.Demonstrations.Count == 0; i++)
        {
            gateway.Provider.Then(ModelReply.Says("technical"));
            span = await gateway.SpanAsync(await gateway.PostAsync(GatewayUnderTest.Chat("My kettle leaks again", "intent::m")));
        }
        var exact = await OkAsync(gateway.Server.GetAsync($"/api/v1/traces/{span.Key.Trace}/spans/{span.Key.Span}/prompt"));

        Assert.Equal(
            [("Route the message.", null), ("My kettle leaks", id), ("technical", id), ("My kettle leaks again", null)],
            exact.GetProperty("messages").EnumerateArray()
                .Select(each => (each.GetProperty("content").GetString()!, each.GetProperty("demonstration").GetString())));
        Assert.Empty(exact.GetProperty("missing_demonstrations").EnumerateArray());
    }

    sealed class Echo : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(
                new ChatMessage(ChatRole.Assistant, string.Join('|', messages.Select(message => message.Text)))));

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }

    [Fact]
    public async Task The_clients_prompt_names_itself_on_the_span_and_outlives_the_server()
    {
        var server = await RunningServer.StartAsync();
        using var api = new FlywheelApi(server.Http.BaseAddress!);
        var prompts = new FlywheelPrompts(api, fresh: TimeSpan.Zero);
        try
        {
            await AddAsync(server, new[] { new { role = "system", content = "Speak {{language}}." } }, labels: ["production"],
                config: new { temperature = 0 });
            using var loop = new RemoteLoop(server.Http.BaseAddress!);
            await using var connection = new FlywheelConnection(loop);
            using var model = new Echo();
            using var node = model.UseFlywheel(connection, "greet");

            var prompt = await prompts.GetAsync("greet", ct: Ct);
            var answer = await node.GetResponseAsync(
                [.. prompt.Messages(("language", "Latin")), new ChatMessage(ChatRole.User, "hi")], cancellationToken: Ct);
            await connection.FlushAsync(Ct);
            var uses = (await OkAsync(server.GetAsync("/api/v1/prompts/greet"))).GetProperty("uses");

            Assert.Equal("Speak Latin.|hi", answer.Text);
            Assert.Equal((1, 1), (uses[0].GetProperty("version").GetInt32(), uses[0].GetProperty("spans").GetInt32()));
            Assert.Throws<ArgumentException>(() => prompt.Messages());
            // A label that moves is seen.
            await AddAsync(server, new[] { new { role = "system", content = "Speak Greek." } }, labels: ["production"]);
            Assert.Equal(2, (await prompts.GetAsync("greet", ct: Ct)).Version);
            var missing = await Assert.ThrowsAsync<HttpRequestException>(() => prompts.GetAsync("nobody", ct: Ct).AsTask());
            Assert.Equal(System.Net.HttpStatusCode.NotFound, missing.StatusCode);
        }
        finally
        {
            await server.DisposeAsync();
        }

        Assert.Equal(2, (await prompts.GetAsync("greet", ct: Ct)).Version);
        Assert.Equal(1, prompts.Failures);
        Assert.Equal(0, (await prompts.GetAsync("other", fallback: new("other", 0, PromptType.Text, "plain"), ct: Ct)).Version);
        await Assert.ThrowsAsync<HttpRequestException>(() => prompts.GetAsync("other", ct: Ct).AsTask());
    }
}
