using System.Text.Json;
using Flywheel.Client;
using Flywheel.Core;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

public sealed class ChatClientTests
{
    static readonly FlywheelOptions Prompt = new() { MaxDelay = TimeSpan.Zero };

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static JsonElement Attributes(NewSpan span) => JsonElement.Parse(span.Attributes!);

    static string[] Texts(IEnumerable<ChatMessage> messages) => [.. messages.Select(m => $"{m.Role}: {m.Text}")];

    [Fact]
    public async Task A_plain_call_becomes_a_span_with_what_was_asked_and_answered()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        var model = new ScriptedChatClient((_, _) => Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, "billing"))
        {
            ModelId = "model-1-0613",
            ResponseId = "r-1",
            FinishReason = ChatFinishReason.Stop,
            Usage = new() { InputTokenCount = 12, OutputTokenCount = 3 },
            AdditionalProperties = new() { [FlywheelProperties.Confidence] = 0.75 },
        }));
        var chat = model.UseFlywheel(connection, node: "intent", kind: NodeKind.Classifier, o => o.ReadCostUsd = _ => 0.002);

        var response = await chat.GetResponseAsync(
            [new(ChatRole.System, "Classify."), new(ChatRole.User, "Why was I charged twice?")],
            new() { Temperature = 0.2f, MaxOutputTokens = 20 }, Ct);

        var span = await connection.OnlyAsync(Ct);
        Assert.Equal("billing", response.Text);
        Assert.Equal(("intent", NodeKind.Classifier), (span.Node, span.Kind));
        Assert.Equal(("Why was I charged twice?", "billing", null), (span.Input, span.Output, span.Error));
        Assert.Equal(("model-1-0613", 12, 3, 0.002), (span.Model, span.InputTokens, span.OutputTokens, span.CostUsd));
        Assert.Equal(span.Key, response.SpanKey());
        Assert.True(span.DurationMs > 0);
        var attributes = Attributes(span);
        Assert.Equal("chat", attributes.GetProperty("gen_ai.operation.name").GetString());
        Assert.Equal("scripted", attributes.GetProperty("gen_ai.provider.name").GetString());
        Assert.Equal(0.2, attributes.GetProperty("gen_ai.request.temperature").GetDouble(), 6);
        Assert.Equal(20, attributes.GetProperty("gen_ai.request.max_tokens").GetInt32());
        Assert.Equal("stop", attributes.GetProperty("gen_ai.response.finish_reasons")[0].GetString());
        Assert.Equal(0.75, attributes.GetProperty("flywheel.confidence").GetDouble());
        Assert.Equal(
            """[{"role":"system","parts":[{"type":"text","content":"Classify."}]},{"role":"user","parts":[{"type":"text","content":"Why was I charged twice?"}]}]""",
            attributes.GetProperty("gen_ai.input.messages").GetRawText());
        Assert.Equal(
            """[{"role":"assistant","parts":[{"type":"text","content":"billing"}],"finish_reason":"stop"}]""",
            attributes.GetProperty("gen_ai.output.messages").GetRawText());
    }

    [Fact]
    public async Task Demonstrations_stand_after_the_instructions_and_before_the_conversation_in_the_order_given()
    {
        var loop = ScriptedLoop.Showing(("far", "A"), ("near", "B"));
        await using var connection = new FlywheelConnection(loop, Prompt);
        var model = new ScriptedChatClient("answer");
        var chat = model.UseFlywheel(connection, "intent", configure: o => (o.K, o.Strategy) = (2, "similar"));
        using var trace = FlywheelTrace.Start(endUser: "ada");
        ChatMessage[] messages =
        [
            new(ChatRole.System, "one"), new(ChatRole.System, "two"),
            new(ChatRole.User, "earlier"), new(ChatRole.Assistant, "reply"), new(ChatRole.User, "now"),
        ];
        var before = messages.ToArray();

        await chat.GetResponseAsync(messages, cancellationToken: Ct);

        Assert.Equal(
            ["system: one", "system: two", "user: far", "assistant: A", "user: near", "assistant: B", "user: earlier", "assistant: reply",
                "user: now"],
            Texts(Assert.Single(model.Prompts)));
        Assert.Equal(before, messages);
        Assert.Equal(new("intent", "now", 2, "similar", "ada"), Assert.Single(loop.Queries));
        var span = await connection.OnlyAsync(Ct);
        var chosen = await loop.OnDemonstrate(Assert.Single(loop.Queries), Ct);
        Assert.Equal(chosen.Select(one => one.Id), span.Demonstrations);
        Assert.Equal("now", span.Input);
    }

    [Fact]
    public async Task The_callers_list_keeps_its_messages_and_its_length()
    {
        await using var connection = new FlywheelConnection(ScriptedLoop.Showing(("q", "a")), Prompt);
        var chat = new ScriptedChatClient("answer").UseFlywheel(connection, "intent");
        var messages = new List<ChatMessage> { new(ChatRole.User, "hello") };
        var only = messages[0];

        await chat.GetResponseAsync(messages, cancellationToken: Ct);
        await foreach (var _ in chat.GetStreamingResponseAsync(messages, cancellationToken: Ct)) { }

        Assert.Same(only, Assert.Single(messages));
        Assert.Equal("hello", only.Text);
    }

    [Fact]
    public async Task A_wrapped_input_is_read_back_and_demonstrations_are_wrapped_alike()
    {
        var loop = ScriptedLoop.Showing(("where is it", "shipping"));
        await using var connection = new FlywheelConnection(loop, Prompt);
        var model = new ScriptedChatClient("billing");
        var chat = model.UseFlywheel(connection, "intent", configure: o =>
        {
            o.ReadInput = messages => messages.Last().Text["Message: ".Length..];
            o.FormatInput = input => "Message: " + input;
        });

        await chat.GetResponseAsync("Message: charged twice", cancellationToken: Ct);

        Assert.Equal("charged twice", Assert.Single(loop.Queries).Input);
        Assert.Equal(
            ["user: Message: where is it", "assistant: shipping", "user: Message: charged twice"], Texts(Assert.Single(model.Prompts)));
        Assert.Equal("charged twice", (await connection.OnlyAsync(Ct)).Input);
    }

    [Fact]
    public async Task A_conversation_kept_by_the_service_gets_no_demonstrations()
    {
        var loop = ScriptedLoop.Showing(("q", "a"));
        await using var connection = new FlywheelConnection(loop, Prompt);
        var model = new ScriptedChatClient("answer");

        await model.UseFlywheel(connection, "n").GetResponseAsync("hi", new() { ConversationId = "c-1" }, Ct);

        Assert.Empty(loop.Queries);
        Assert.Single(Assert.Single(model.Prompts));
    }

    [Fact]
    public async Task Tool_calls_without_text_are_the_output()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        var model = new ScriptedChatClient((_, _) => Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant,
            [new FunctionCallContent("call-1", "find_order", new Dictionary<string, object?> { ["id"] = 7, ["tags"] = new[] { "a" } })]))));

        await model.UseFlywheel(connection, "agent").GetResponseAsync("where is order 7?", cancellationToken: Ct);

        var span = await connection.OnlyAsync(Ct);
        Assert.Equal("""[{"name":"find_order","arguments":{"id":7,"tags":["a"]}}]""", span.Output);
        var attributes = Attributes(span);
        Assert.Equal(span.Output, attributes.GetProperty("flywheel.tool_calls").GetRawText());
        var part = attributes.GetProperty("gen_ai.output.messages")[0].GetProperty("parts")[0];
        Assert.Equal("""{"type":"tool_call","id":"call-1","name":"find_order","arguments":{"id":7,"tags":["a"]}}""", part.GetRawText());
    }

    [Fact]
    public async Task Inside_function_invocation_each_round_trip_and_each_tool_is_a_span_of_one_trace()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        var model = new ScriptedChatClient((prompt, _) => Task.FromResult(new ChatResponse(
            prompt.Any(m => m.Role == ChatRole.Tool)
                ? new ChatMessage(ChatRole.Assistant, "It has shipped.")
                : new ChatMessage(ChatRole.Assistant,
                    [new FunctionCallContent("c", "status", new Dictionary<string, object?> { ["id"] = 7 })]))));
        var status = AIFunctionFactory.Create((int id) =>
        {
            using var step = FlywheelScope.Node("status", NodeKind.Tool);
            step.Input = $"{id}";
            return step.Output = "shipped";
        }, "status");
        var chat = new ChatClientBuilder(model)
            .UseFunctionInvocation()
            .Use(inner => inner.UseFlywheel(connection, node: "agent", kind: NodeKind.Writer))
            .Build();

        string id;
        ChatResponse answer;
        using (var trace = FlywheelTrace.Start(session: "s-1", endUser: "ada"))
        using (FlywheelScope.Node("request", NodeKind.Other))
        {
            id = trace.TraceId;
            answer = await chat.GetResponseAsync("where is order 7?", new() { Tools = [status] }, Ct);
        }

        await connection.FlushAsync(Ct);
        var spans = loop.Kept.ToList();
        Assert.Equal(["agent", "status", "agent", "request"], spans.Select(s => s.Node));
        Assert.All(spans, s => Assert.Equal((id, "s-1", "ada"), (s.Key.Trace, s.Session, s.EndUser)));
        var root = spans[3];
        Assert.Null(root.ParentId);
        Assert.All(spans.Take(3), s => Assert.Equal(root.Key.Span, s.ParentId));
        Assert.Equal(("7", "shipped"), (spans[1].Input, spans[1].Output));
        Assert.Equal("It has shipped.", spans[2].Output);
        Assert.Equal("It has shipped.", answer.Text);
        var response = Attributes(spans[2]).GetProperty("gen_ai.input.messages").EnumerateArray().Last().GetProperty("parts")[0];
        Assert.Equal("""{"type":"tool_call_response","id":"c","response":"shipped"}""", response.GetRawText());
    }

    [Fact]
    public async Task The_applications_own_exception_passes_through_unchanged_and_is_the_spans_error()
    {
        await using var connection = new FlywheelConnection(new ScriptedLoop(), Prompt);
        var fault = new InvalidOperationException("model is down");
        var chat = new ScriptedChatClient((_, _) => Task.FromException<ChatResponse>(fault)).UseFlywheel(connection, "n");

        var seen = await Assert.ThrowsAsync<InvalidOperationException>(() => chat.GetResponseAsync("hi", cancellationToken: Ct));

        Assert.Same(fault, seen);
        var span = await connection.OnlyAsync(Ct);
        Assert.Equal("System.InvalidOperationException: model is down", span.Error);
        Assert.Null(span.Output);
        Assert.Equal("System.InvalidOperationException", Attributes(span).GetProperty("error.type").GetString());
    }

    [Fact]
    public async Task A_cancelled_call_is_cancelled_for_the_application_too()
    {
        await using var connection = new FlywheelConnection(new ScriptedLoop(), Prompt);
        using var stop = new CancellationTokenSource();
        var chat = new ScriptedChatClient(async (_, ct) =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, ct);
            throw new InvalidOperationException("not reached");
        }).UseFlywheel(connection, "n");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chat.GetResponseAsync("hi", cancellationToken: stop.Token));

        Assert.StartsWith("cancelled", (await connection.OnlyAsync(Ct)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_that_no_store_takes_is_repaired_rather_than_lost()
    {
        await using var connection = new FlywheelConnection(new ScriptedLoop(), Prompt);
        var chat = new ScriptedChatClient("nul \0 and half \uD83D pair, whole \U0001F600").UseFlywheel(connection, "n");

        await chat.GetResponseAsync("hi", cancellationToken: Ct);

        var span = await connection.OnlyAsync(Ct);
        Assert.Equal("nul \uFFFD and half \uFFFD pair, whole \U0001F600", span.Output);
        Assert.Null(SpanRules.Check(span, DateTimeOffset.UtcNow));
    }

    [Fact]
    public async Task Long_conversations_and_private_ones_stay_out_of_the_span()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        var model = new ScriptedChatClient("answer");

        await model.UseFlywheel(connection, "short", configure: o => o.MaxMessageCharacters = 50)
            .GetResponseAsync(new string('x', 60), cancellationToken: Ct);
        await model.UseFlywheel(connection, "private", configure: o => o.RecordMessages = false)
            .GetResponseAsync("hi", cancellationToken: Ct);

        await connection.FlushAsync(Ct);
        var (cut, plain) = (Attributes(loop.Kept.First()), Attributes(loop.Kept.Last()));
        Assert.True(cut.GetProperty("flywheel.messages_omitted_characters").GetInt64() > 60);
        Assert.False(cut.TryGetProperty("gen_ai.input.messages", out _));
        Assert.False(plain.TryGetProperty("gen_ai.input.messages", out _));
        Assert.False(plain.TryGetProperty("flywheel.messages_omitted_characters", out _));
    }

    [Fact]
    public async Task A_response_shared_by_many_callers_gets_a_key_without_a_shared_dictionary_being_written()
    {
        await using var connection = new FlywheelConnection(new ScriptedLoop(), Prompt);
        var properties = new AdditionalPropertiesDictionary { ["kept"] = 1 };
        var shared = new ChatResponse(new ChatMessage(ChatRole.Assistant, "a")) { AdditionalProperties = properties };
        var chat = new ScriptedChatClient((_, _) => Task.FromResult(shared)).UseFlywheel(connection, "n");

        var response = await chat.GetResponseAsync("hi", cancellationToken: Ct);

        Assert.Single(properties);
        Assert.Equal(1, response.AdditionalProperties!["kept"]);
        Assert.NotNull(response.SpanKey());
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("a\nb")]
    public void A_node_needs_a_usable_name(string node)
    {
        var connection = FlywheelConnection.To(new ScriptedLoop());

        Assert.Throws<ArgumentException>(() => new ScriptedChatClient("a").UseFlywheel(connection, node));
        Assert.Throws<ArgumentException>(() => FlywheelScope.Node(node, NodeKind.Tool));
    }

    [Fact]
    public void Nodes_that_name_the_same_loop_share_its_connection()
    {
        ILoop loop = new ScriptedLoop();

        var one = new ScriptedChatClient("a").UseFlywheel(loop, node: "one", kind: NodeKind.Writer);
        var two = new ScriptedChatClient("b").UseFlywheel(loop, "two", NodeKind.Tool);
        var other = new ScriptedChatClient("b").UseFlywheel(new ScriptedLoop(), "two");

        Assert.Same(FlywheelConnection.To(loop), one.GetService<FlywheelConnection>());
        Assert.Same(one.GetService<FlywheelConnection>(), two.GetService<FlywheelConnection>());
        Assert.NotSame(one.GetService<FlywheelConnection>(), other.GetService<FlywheelConnection>());
    }

    [Fact]
    public async Task The_environment_names_a_server()
    {
        var settings = new Dictionary<string, string?> { ["FLYWHEEL_URL"] = "http://127.0.0.1:5151" };

        await using var connection = FlywheelConnection.FromEnvironment(settings.GetValueOrDefault);

        Assert.IsType<Flywheel.Client.Remote.RemoteLoop>(connection!.Loop);
        Assert.Null(FlywheelConnection.FromEnvironment(_ => null));
        Assert.Throws<InvalidOperationException>(() => FlywheelConnection.FromEnvironment(_ => "not an address"));
    }
}
