using System.Runtime.CompilerServices;
using Flywheel.Client.Guarding;
using Flywheel.Client.Messages;
using Flywheel.Client.Prompting;
using Flywheel.Client.Recording;
using Flywheel.Client.Tracing;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Client;

/// <summary>One node of the application: adds demonstrations to its prompt, and records each of its calls as a span.</summary>
/// <remarks>
/// The model's answers and exceptions pass through as they are; whatever fails of ours is swallowed and counted in
/// <see cref="FlywheelConnection.Statistics"/>. Only a guard's verdict keeps an input from the model. Put it inside function invocation,
/// next to the model, so that every round trip
/// is a span. A streamed call ends when its reader stops, and is recorded then.
/// </remarks>
public sealed class FlywheelChatClient : DelegatingChatClient
{
    readonly FlywheelConnection connection;
    readonly ObservedNode node;

    /// <exception cref="ArgumentException">The node's name is empty, too long or holds a control character.</exception>
    public FlywheelChatClient(
        IChatClient inner, FlywheelConnection connection, string node, NodeKind kind = NodeKind.Other, FlywheelChatOptions? options = null)
        : base(inner)
    {
        ArgumentNullException.ThrowIfNull(connection);
        if (SpanRules.Name(node, SpanRules.MaxNameLength) is { } why)
            throw new ArgumentException("The node's name " + why, nameof(node));
        options ??= new();
        options.Check();
        this.connection = connection;
        this.node = ObservedNode.Of(inner, node, kind, options);
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var call = await BeginAsync(messages, options, streamed: false, cancellationToken).ConfigureAwait(false);
        Position.Current = call.Here;
        if (call.Guarded.IsBlocked)
            return Refuse(call);
        ChatResponse response;
        try
        {
            response = await base.GetResponseAsync(call.Prompt, options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            call.Record(null, Failure.Describe(failure), failure.GetType().FullName);
            throw;
        }
        call.Record(response, null, null);
        if (response is not null)
            response.AdditionalProperties = call.Keyed(response.AdditionalProperties);
        return response!;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var call = await BeginAsync(messages, options, streamed: true, cancellationToken).ConfigureAwait(false);
        if (call.Guarded.IsBlocked)
        {
            foreach (var part in Refuse(call).ToChatResponseUpdates())
                yield return part;
            yield break;
        }
        var updates = new List<ChatResponseUpdate>();
        var finished = false;
        Exception? failure = null;
        IAsyncEnumerator<ChatResponseUpdate>? stream = null;
        try
        {
            while (true)
            {
                ChatResponseUpdate update;
                // Each step of an iterator runs in its reader's context, so the position is set anew.
                Position.Current = call.Here;
                try
                {
                    stream ??= base.GetStreamingResponseAsync(call.Prompt, options, cancellationToken)
                        .GetAsyncEnumerator(cancellationToken);
                    if (!await stream.MoveNextAsync().ConfigureAwait(false))
                    {
                        finished = true;
                        break;
                    }
                    update = stream.Current;
                }
                catch (Exception thrown)
                {
                    failure = thrown;
                    throw;
                }
                updates.Add(update);
                if (updates.Count == 1 && update is not null)
                {
                    call.NoteFirstUpdate();
                    update.AdditionalProperties = call.Keyed(update.AdditionalProperties);
                }
                yield return update!;
            }
        }
        finally
        {
            try
            {
                if (stream is not null)
                    await stream.DisposeAsync().ConfigureAwait(false);
            }
            finally
            {
                RecordStream(call, updates, finished, failure);
            }
        }
    }

    /// <summary>Also finds the <see cref="FlywheelConnection"/> that the node records on.</summary>
    public override object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType == typeof(FlywheelConnection) ? connection : base.GetService(serviceType, serviceKey);

    async ValueTask<ObservedCall> BeginAsync(IEnumerable<ChatMessage> messages, ChatOptions? request, bool streamed, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var outer = Position.CurrentOrNew();
        if (outer.Trace is { Connection: null } trace)
            trace.Connection = connection;

        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var input = InputOf(prompt);
        var guarding = GuardAsync(input, outer.Trace, ct);
        var retrieved = await RetrieveAsync(input, request, outer.Trace, ct).ConfigureAwait(false);
        var guarded = await guarding.ConfigureAwait(false);
        if (guarded is { IsRedacted: true, IsBlocked: false })
            (prompt, guarded) = Redact(prompt, input!, guarded);
        if (retrieved.Demonstrations.Count > 0 && !guarded.IsBlocked)
            try
            {
                prompt = FewShotPrompt.With(prompt, retrieved.Demonstrations, node.Options.FormatInput);
            }
            catch (Exception fault)
            {
                connection.Failed("Adding demonstrations failed", fault);
                retrieved = retrieved with { Demonstrations = [], Problem = "failed" };
            }
        if (guarded.IsBlocked)
            retrieved = retrieved with { Demonstrations = [] };
        return new(connection, node, outer, input, prompt, request, retrieved, guarded, streamed);
    }

    async Task<Guarded> GuardAsync(string? input, FlywheelTrace? trace, CancellationToken ct)
    {
        if (!node.Options.UseGuards || string.IsNullOrEmpty(input))
            return Guarded.NotAsked;
        var query = new GuardQuery(node.Name, node.Kind, StorableText.Of(input)!, trace?.EndUser, trace?.Session);
        var told = await connection.Guards.AskAsync(query, node.Options.GuardDeadline, ct).ConfigureAwait(false);
        var isBlocked = told.Answer is { } answer
            ? answer.Decision == GuardDecision.Block
            : told.Problem is not null && node.Options.BlockWhenGuardFails;
        return new(told.Answer, told.Problem, told.Took, isBlocked);
    }

    /// <summary>
    /// A prompt without what was found. One that cannot be redacted is not sent: the guard said that the model must not see it.
    /// </summary>
    (IReadOnlyList<ChatMessage>, Guarded) Redact(IReadOnlyList<ChatMessage> prompt, string input, Guarded guarded)
    {
        try
        {
            return (PromptRedaction.Of(prompt, input, guarded.Answer!, node.Options.ReadInput), guarded);
        }
        catch (Exception fault)
        {
            connection.Failed("Redacting a prompt failed", fault);
            return (prompt, guarded with { IsBlocked = true });
        }
    }

    ChatResponse Refuse(ObservedCall call)
    {
        var reason = call.Guarded.Reason;
        call.Record(null, $"blocked before the model: {reason}", "input_blocked");
        if (node.Options.Refusal is not { } refusal)
            throw new InputBlockedException($"The input of node {node.Name} was blocked: {reason}", call.Guarded.Answer);
        return new(new ChatMessage(ChatRole.Assistant, refusal))
        {
            FinishReason = ChatFinishReason.ContentFilter,
            AdditionalProperties = call.Keyed(null),
        };
    }

    string? InputOf(IReadOnlyList<ChatMessage> messages)
    {
        try
        {
            return node.Options.ReadInput(messages);
        }
        catch (Exception fault)
        {
            connection.Failed($"{nameof(FlywheelChatOptions.ReadInput)} failed", fault);
            return null;
        }
    }

    async ValueTask<Retrieved> RetrieveAsync(string? input, ChatOptions? request, FlywheelTrace? trace, CancellationToken ct)
    {
        // A conversation that the service keeps would keep our examples too, as things that its user said.
        if (!node.Options.UseDemonstrations || string.IsNullOrWhiteSpace(input) || request?.ConversationId is not null)
            return new([], null, TimeSpan.Zero);
        var query = new DemonstrationQuery(node.Name, StorableText.Of(input)!, node.Options.K, node.Options.Strategy, trace?.EndUser);
        return await connection.Demonstrations.FindAsync(query, node.Options.RetrievalDeadline, ct).ConfigureAwait(false);
    }

    void RecordStream(ObservedCall call, List<ChatResponseUpdate> updates, bool finished, Exception? failure)
    {
        ChatResponse? response = null;
        try
        {
            response = updates.Count > 0 ? updates.ToChatResponse() : null;
        }
        catch (Exception fault)
        {
            connection.Failed("Reading a stream's updates failed", fault);
        }
        var (error, type) = (failure, finished) switch
        {
            ({ } thrown, _) => (Failure.Describe(thrown), thrown.GetType().FullName),
            (null, false) => ($"abandoned: the reader stopped after {updates.Count} update(s)", "abandoned"),
            _ => (null, null),
        };
        call.Record(response, error, type);
    }
}
