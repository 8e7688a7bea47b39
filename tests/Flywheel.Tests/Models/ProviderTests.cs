using System.Net;
using System.Net.Sockets;
using Flywheel.Engine.Models;
using Flywheel.TestServer;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Models;

/// <summary>Both providers over the wire, against scripted answers and faults.</summary>
public sealed class ProviderTests : IAsyncLifetime
{
    private ModelTestServer _server = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await ModelTestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("openai")]
    [InlineData("ollama")]
    [InlineData("anthropic")]
    public async Task A_plain_answer_comes_with_its_usage_and_price(string kind)
    {
        using var models = Registry(kind);
        _server.Then(ModelReply.Says("Refunds take five days.", inputTokens: 1000, outputTokens: 200));

        var response = await models.Chat("m").GetResponseAsync("How long do refunds take?", cancellationToken: Ct);

        Assert.Equal("Refunds take five days.", response.Text);
        Assert.Equal(1000, response.Usage!.InputTokenCount);
        Assert.Equal(1000 * 3e-6 + 200 * 15e-6, models.Price("m").CostUsd(response.Usage), precision: 12);
        Assert.Equal("How long do refunds take?", Assert.Single(_server.Requests).Question);
        Assert.Equal("test-model", _server.Requests[0].Model);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task A_stream_arrives_in_pieces_that_make_the_answer(string kind)
    {
        using var models = Registry(kind);
        _server.Then(ModelReply.Says("one two three", inputTokens: 11, outputTokens: 5));

        var updates = await models.Chat("m").GetStreamingResponseAsync("count", cancellationToken: Ct).ToListAsync(Ct);

        Assert.True(updates.Count(update => update.Text.Length > 0) >= 3);
        var response = updates.ToChatResponse();
        Assert.Equal("one two three", response.Text);
        Assert.Equal(5, response.Usage!.OutputTokenCount);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task A_tool_call_keeps_its_name_and_arguments(string kind)
    {
        using var models = Registry(kind);
        _server.Then(ModelReply.Calls("find_order", """{"number":"A-17"}"""));

        var response = await models.Chat("m").GetResponseAsync("where is A-17?", cancellationToken: Ct);

        var call = Assert.Single(response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());
        Assert.Equal("find_order", call.Name);
        Assert.Equal("A-17", call.Arguments!["number"]!.ToString());
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task The_key_comes_from_the_named_variable_and_travels_as_a_bearer_token(string kind)
    {
        using var models = Registry(kind);
        _server.Then(ModelReply.Says("hi"));

        await models.Chat("m").GetResponseAsync("hello", cancellationToken: Ct);

        Assert.Equal("Bearer sk-test", _server.Requests[0].Headers["authorization"]);
    }

    [Theory]
    [InlineData("openai", false)]
    [InlineData("openai", true)]
    [InlineData("anthropic", false)]
    [InlineData("anthropic", true)]
    public async Task Being_limited_is_seen_at_once_with_the_wait_that_is_asked_for(string kind, bool stream)
    {
        _server.Then(ModelReply.Fails(429, retryAfter: "17"));

        var fault = await FaultAsync(kind, stream);

        Assert.Equal(ModelFaultKind.RateLimited, fault.Kind);
        Assert.True(fault.Retryable);
        Assert.Equal(TimeSpan.FromSeconds(17), fault.RetryAfter);
        Assert.Equal(429, fault.Status);
        Assert.Single(_server.Requests);
    }

    public static TheoryData<string, string, ModelFaultKind, bool> Faults
    {
        get
        {
            var rows = new TheoryData<string, string, ModelFaultKind, bool>();
            foreach (var kind in new[] { "openai", "anthropic" })
            {
                rows.Add(kind, "500", ModelFaultKind.Overloaded, true);
                rows.Add(kind, "503", ModelFaultKind.Overloaded, true);
                rows.Add(kind, "529", ModelFaultKind.Overloaded, true);
                rows.Add(kind, "401", ModelFaultKind.Unauthorized, false);
                rows.Add(kind, "404", ModelFaultKind.NotFound, false);
                rows.Add(kind, "400", ModelFaultKind.Rejected, false);
                rows.Add(kind, "307", ModelFaultKind.Rejected, false);
                rows.Add(kind, "slow", ModelFaultKind.Timeout, true);
                rows.Add(kind, "reset", ModelFaultKind.Cut, true);
                rows.Add(kind, "cut", ModelFaultKind.Cut, true);
                rows.Add(kind, "malformed", ModelFaultKind.MalformedReply, true);
                rows.Add(kind, "empty", ModelFaultKind.MalformedReply, true);
                rows.Add(kind, "schema", ModelFaultKind.MalformedReply, true);
                rows.Add(kind, "huge", ModelFaultKind.TooLarge, false);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Every_fault_of_a_plain_call_is_named(string kind, string fault, ModelFaultKind expected, bool retryable)
    {
        _server.Then(Script(fault));

        var seen = await FaultAsync(kind, stream: false, slow: fault == "slow");

        Assert.True(expected == seen.Kind, $"{seen}");
        Assert.Equal(retryable, seen.Retryable);
        Assert.NotEmpty(seen.Reason);
        Assert.Single(_server.Requests);
    }

    [Theory]
    [InlineData("openai", "500", ModelFaultKind.Overloaded)]
    [InlineData("openai", "slow", ModelFaultKind.Timeout)]
    [InlineData("openai", "reset", ModelFaultKind.Cut)]
    [InlineData("openai", "cut", ModelFaultKind.Cut)]
    [InlineData("openai", "endless", ModelFaultKind.TooLarge)]
    [InlineData("anthropic", "500", ModelFaultKind.Overloaded)]
    [InlineData("anthropic", "slow", ModelFaultKind.Timeout)]
    [InlineData("anthropic", "reset", ModelFaultKind.Cut)]
    [InlineData("anthropic", "cut", ModelFaultKind.Cut)]
    [InlineData("anthropic", "endless", ModelFaultKind.TooLarge)]
    public async Task Every_fault_of_a_stream_is_named(string kind, string fault, ModelFaultKind expected)
    {
        _server.Then(Script(fault));

        var seen = await FaultAsync(kind, stream: true, slow: fault == "slow");

        Assert.True(expected == seen.Kind, $"{seen}");
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task Nobody_listening_is_a_refused_connection(string kind)
    {
        using var models = Registry(kind, new Uri($"http://127.0.0.1:{FreePort()}/v1"));

        var fault = ModelFault.From(
            await Assert.ThrowsAnyAsync<Exception>(() => models.Chat("m").GetResponseAsync("hi", cancellationToken: Ct)), ct: Ct);

        Assert.Equal((ModelFaultKind.Refused, true), (fault.Kind, fault.Retryable));
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task A_certificate_that_nobody_trusts_is_not_retried(string kind)
    {
        await using var untrusted = await ModelTestServer.StartAsync(tls: true);
        using var models = Registry(kind, kind == "openai" ? untrusted.OpenAI : untrusted.Address);

        var fault = ModelFault.From(
            await Assert.ThrowsAnyAsync<Exception>(() => models.Chat("m").GetResponseAsync("hi", cancellationToken: Ct)), ct: Ct);

        Assert.Equal((ModelFaultKind.Tls, false), (fault.Kind, fault.Retryable));
        Assert.Empty(untrusted.Requests);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task The_callers_own_cancellation_is_not_a_timeout(string kind)
    {
        using var models = Registry(kind);
        _server.Then(ModelReply.Says("late").After(TimeSpan.FromSeconds(30)));
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        cancel.CancelAfter(TimeSpan.FromMilliseconds(100));

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => models.Chat("m").GetResponseAsync("hi", cancellationToken: cancel.Token));

        var fault = ModelFault.From(thrown, ct: cancel.Token);
        Assert.Equal((ModelFaultKind.Cancelled, false), (fault.Kind, fault.Retryable));
    }

    [Fact]
    public async Task A_configured_output_limit_is_the_default_and_a_calls_own_wins()
    {
        using var models = Registry("openai", extra: ("max_output_tokens", "50"));
        _server.Otherwise(_ => ModelReply.Says("ok"));

        await models.Chat("m").GetResponseAsync("a", cancellationToken: Ct);
        await models.Chat("m").GetResponseAsync("b", new() { MaxOutputTokens = 9 }, Ct);

        Assert.Equal([50, 9], _server.Requests.Select(Limit));

        static int Limit(ModelRequest request) =>
            request.Body.TryGetProperty("max_completion_tokens", out var limit) ? limit.GetInt32() : request.Body.GetProperty("max_tokens")
                .GetInt32();
    }

    [Fact]
    public async Task An_unscripted_call_says_so_instead_of_inventing_an_answer()
    {
        var fault = await FaultAsync("openai", stream: false);

        Assert.Equal(501, fault.Status);
        Assert.Contains("scripted no reply", fault.Reason, StringComparison.Ordinal);
    }

    private static ModelReply Script(string fault) => fault switch
    {
        "slow" => ModelReply.Says("late").After(TimeSpan.FromMinutes(5)),
        "reset" => ModelReply.Reset,
        "cut" => ModelReply.CutAfter("one two three four", pieces: 2),
        "malformed" => ModelReply.MalformedJson,
        "empty" => ModelReply.EmptyBody,
        "schema" => ModelReply.WrongSchema,
        "huge" => ModelReply.Huge(20 * 1024 * 1024),
        "endless" => ModelReply.Endless,
        _ => ModelReply.Fails(int.Parse(fault, System.Globalization.CultureInfo.InvariantCulture)),
    };

    // Short only where the fault is slowness: on a busy machine any call may take a second.
    private async Task<ModelFault> FaultAsync(string kind, bool stream, bool slow = false)
    {
        using var models = Registry(kind, extra: ("timeout_seconds", slow ? "0.5" : "30"));
        var client = models.Chat("m");
        var thrown = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            if (!stream)
            {
                await client.GetResponseAsync("hi", cancellationToken: Ct);
                return;
            }

            await foreach (var _ in client.GetStreamingResponseAsync("hi", cancellationToken: Ct))
                ;
        });
        return ModelFault.From(thrown, ct: Ct);
    }

    private ModelRegistry Registry(string kind, Uri? endpoint = null, params (string Name, string Value)[] extra)
    {
        var settings = new Dictionary<string, string?>
        {
            ["chat:m:kind"] = kind,
            ["chat:m:endpoint"] = (endpoint ?? (kind == "anthropic" ? _server.Address : _server.OpenAI)).ToString(),
            ["chat:m:model"] = "test-model",
            ["chat:m:api_key_env"] = "TEST_KEY",
            ["chat:m:input_usd_per_million"] = "3",
            ["chat:m:output_usd_per_million"] = "15",
        };
        foreach (var (name, value) in extra)
            settings["chat:m:" + name] = value;
        return new(ModelOptions.Read(settings), name => name == "TEST_KEY" ? "sk-test" : null);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
