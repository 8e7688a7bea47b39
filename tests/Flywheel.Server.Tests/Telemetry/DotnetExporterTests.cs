using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Trace;

namespace Flywheel.Server.Tests.Telemetry;

/// <summary>The real .NET exporter under Microsoft.Extensions.AI's own instrumentation, against the running server.</summary>
public sealed class DotnetExporterTests
{
    const string Question = "Wo ist mein Päckchen? 📦\n\"bitte\"", Answer = "Unterwegs: <b>morgen</b> \u2028 & bald";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(OtlpExportProtocol.HttpProtobuf)]
    [InlineData(OtlpExportProtocol.Grpc)]
    public async Task Plain_streamed_tool_and_failing_calls_arrive_to_the_byte(OtlpExportProtocol protocol)
    {
        var port = Otlp.FreePort();
        await using var server = await RunningServer.StartAsync(
            ("Auth", "keys"), (protocol == OtlpExportProtocol.Grpc ? "otlp_grpc_port" : "otlp_http_port", $"{port}"));
        await server.Store.Projects.AddKeyAsync(
            new(Guid.CreateVersion7(), ProjectId.Default, "exporter", "fw_", KeyScope.Ingest, DateTimeOffset.UtcNow, null, null),
            KeySecret.HashOf("fw_secret"), Ct);
        var source = "live-" + Guid.NewGuid();
        using (var tracing = Sdk.CreateTracerProviderBuilder().AddSource(source).AddOtlpExporter(exporter =>
        {
            exporter.Protocol = protocol;
            exporter.Endpoint = new Uri($"http://127.0.0.1:{port}" + (protocol == OtlpExportProtocol.Grpc ? "" : "/v1/traces"));
            exporter.Headers = "x-api-key=fw_secret";
        }).Build())
        {
            using var chat = new ScriptedChat().AsBuilder()
                .UseOpenTelemetry(sourceName: source, configure: client => client.EnableSensitiveData = true).Build();
            await chat.GetResponseAsync([new(ChatRole.System, "Kurz."), new(ChatRole.User, Question)], cancellationToken: Ct);
            await foreach (var _ in chat.GetStreamingResponseAsync(Question, cancellationToken: Ct))
            {
            }
            await chat.GetResponseAsync("call", cancellationToken: Ct);
            await Assert.ThrowsAsync<InvalidOperationException>(() => chat.GetResponseAsync("fail", cancellationToken: Ct));
            Assert.True(tracing.ForceFlush(10_000));
        }

        var spans = (await server.Store.Spans.AfterAsync(ProjectId.Default, new(0), null, 10, Ct)).Select(span => span.Content).ToArray();
        Assert.Equal(4, spans.Length);
        Assert.All(spans[..2], span => Assert.Equal((Question, Answer, "scripted-1", 7, 9, NodeKind.Writer),
            (span.Input, span.Output, span.Model, span.InputTokens, span.OutputTokens, span.Kind)));
        Assert.Equal("""[{"name":"look_up","arguments":{"city":"Köln"}}]""", spans[2].Output);
        Assert.Equal(("fail", null), (spans[3].Input, spans[3].Output));
        Assert.Contains("no more", spans[3].Error);
        var messages = JsonDocument.Parse(spans[0].Attributes!).RootElement.GetProperty("gen_ai.input.messages");
        Assert.Equal("Kurz.", messages[0].GetProperty("parts")[0].GetProperty("content").GetString());
    }

    sealed class ScriptedChat : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            messages.Last().Text switch
            {
                "fail" => throw new InvalidOperationException("no more"),
                "call" => Task.FromResult(
                    Reply(new FunctionCallContent("c1", "look_up", new Dictionary<string, object?> { ["city"] = "Köln" }))),
                _ => Task.FromResult(Reply(new TextContent(Answer))),
            };

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            foreach (var update in Reply(new TextContent(Answer)).ToChatResponseUpdates())
                yield return update;
        }

        static ChatResponse Reply(AIContent content) => new(new ChatMessage(ChatRole.Assistant, [content]))
        {
            ModelId = "scripted-1", FinishReason = ChatFinishReason.Stop, Usage = new() { InputTokenCount = 7, OutputTokenCount = 9 },
        };

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
