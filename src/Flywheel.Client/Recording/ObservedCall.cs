using Flywheel.Client.Guarding;
using Flywheel.Client.Messages;
using Flywheel.Client.Prompting;
using Flywheel.Client.Tracing;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Client.Recording;

/// <summary>One model call from just before it starts to the span that it becomes.</summary>
internal sealed class ObservedCall(
    FlywheelConnection connection, ObservedNode node, Position outer, string? input, IReadOnlyList<ChatMessage> prompt,
    ChatOptions? request, Retrieved retrieved, Guarded guarded, bool streamed)
{
    readonly Position here = outer.Child();
    readonly DateTimeOffset startedAt = connection.Time.GetUtcNow();
    readonly long start = connection.Time.GetTimestamp();

    public Position Here => here;

    /// <summary>What goes to the model.</summary>
    public IReadOnlyList<ChatMessage> Prompt => prompt;

    public string? Input => input;

    public Guarded Guarded => guarded;

    public ChatOptions? Request => request;

    public Retrieved Retrieved => retrieved;

    public bool Streamed => streamed;

    /// <summary>How long the stream's first update took; null for plain calls and for streams without one.</summary>
    public TimeSpan? FirstUpdate { get; private set; }

    public void NoteFirstUpdate() => FirstUpdate ??= connection.Time.GetElapsedTime(start);

    /// <summary>Hands the span to the sender. Whatever goes wrong here is ours, and is counted.</summary>
    /// <param name="response">What came back, in part if the stream ended early; null when nothing did.</param>
    /// <param name="error">Null when the call succeeded.</param>
    public void Record(ChatResponse? response, string? error, string? errorType)
    {
        try
        {
            var took = connection.Time.GetElapsedTime(start);
            var calls = CallsOf(response);
            connection.Record(new()
            {
                Key = here.Key,
                ParentId = outer.SpanId,
                Node = node.Name,
                Kind = node.Kind,
                Input = guarded.Answer is { Findings.Count: > 0 } answer ? answer.Input : StorableText.Of(input),
                Output = OutputOf(response, calls),
                Error = StorableText.Of(error),
                StartedAt = startedAt,
                DurationMs = took.TotalMilliseconds,
                Session = here.Trace?.Session,
                EndUser = here.Trace?.EndUser,
                Model = NullIfEmpty(response?.ModelId) ?? NullIfEmpty(request?.ModelId) ?? NullIfEmpty(node.Model),
                InputTokens = Tokens(response?.Usage?.InputTokenCount),
                OutputTokens = Tokens(response?.Usage?.OutputTokenCount),
                CostUsd = CostOf(response),
                Attributes = CallAttributes.Write(node, this, response, calls, errorType),
                Demonstrations = [.. retrieved.Demonstrations.Select(static one => one.Id)],
            });
        }
        catch (Exception fault)
        {
            connection.Failed("Recording a call failed", fault);
        }
    }

    /// <summary>Puts the span's key on what the application gets, so that its feedback can name the call.</summary>
    /// <remarks>A new dictionary each time: a client that answers from a cache may hand one response to many callers.</remarks>
    public AdditionalPropertiesDictionary Keyed(AdditionalPropertiesDictionary? properties) => new(properties ?? [])
    {
        [FlywheelProperties.TraceId] = here.TraceId,
        [FlywheelProperties.SpanId] = here.SpanId,
    };

    static FunctionCallContent[] CallsOf(ChatResponse? response) =>
        response is null ? [] : [.. response.Messages.SelectMany(static message => message.Contents).OfType<FunctionCallContent>()];

    /// <summary>The answer's text; the calls as JSON when it has none; null when nothing came.</summary>
    static string? OutputOf(ChatResponse? response, FunctionCallContent[] calls)
    {
        if (response is null || response.Messages.Count == 0)
            return null;
        var text = response.Text;
        return text.Length > 0 || calls.Length == 0
            ? StorableText.Of(text)
            : AttributeJson.Text(json => GenAiMessages.WriteCalls(json, calls));
    }

    double? CostOf(ChatResponse? response)
    {
        if (response is null || node.Options.ReadCostUsd is not { } read)
            return null;
        try
        {
            return read(response);
        }
        catch (Exception fault)
        {
            connection.Failed($"{nameof(FlywheelChatOptions.ReadCostUsd)} failed", fault);
            return null;
        }
    }

    static int? Tokens(long? count) => count is null ? null : (int)Math.Clamp(count.Value, 0, int.MaxValue);

    static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
