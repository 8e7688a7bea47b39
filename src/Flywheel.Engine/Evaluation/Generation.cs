using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Prompts;
using Flywheel.Engine.Jobs;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Evaluation;

/// <summary>What makes the outputs of an evaluation.</summary>
/// <param name="ModelId">The provider's name of the model.</param>
/// <param name="CostUsd">Of one reply.</param>
/// <param name="Prompt">Type and template; null sends the input as it is.</param>
/// <param name="Call">Temperature, tokens and what else the prompt's config says.</param>
/// <param name="Demonstrate">Examples for an input, the most similar last; null for none.</param>
/// <param name="Hidden">Fields of a row that no prompt may show: they hold the answer.</param>
public sealed record GenerationPlan(
    IChatClient Client, string ModelId, Func<UsageDetails?, double> CostUsd, (PromptType Type, string Template)? Prompt, ChatOptions Call,
    Func<string, CancellationToken, Task<IReadOnlyList<ChosenDemonstration>>>? Demonstrate, IReadOnlySet<string> Hidden);

/// <summary>Asks a model for the output of each row.</summary>
/// <param name="random">For the jitter of retries; used under a lock.</param>
public sealed class Generation(GenerationPlan plan, IFaultClassifier faults, EvalOptions options, TimeProvider clock, Random random)
{
    const string Input = "input";

    /// <summary>What a row lacks for the prompt; empty when nothing.</summary>
    public IReadOnlyList<string> Missing(EvalCase one) => plan.Prompt is { } prompt
        ? PromptTemplate.Render(prompt.Type, prompt.Template, Variables(one)).Missing
        : one.Span?.Content.Input is null ? [Input] : [];

    /// <summary>Calls until there is an answer or no use in calling; never throws but for the caller's cancellation.</summary>
    public async Task<GeneratedOutput> AskAsync(EvalCase one, CancellationToken ct)
    {
        if (Missing(one) is { Count: > 0 } missing)
            return Failed(one, $"the row has no {string.Join(" and no ", missing.Select(name => $"`{name}`"))}, which the prompt needs", 0,
                []);
        IReadOnlyList<ChosenDemonstration> shown = [];
        var started = clock.GetTimestamp();
        for (var attempt = 1; ; attempt++)
            try
            {
                if (attempt == 1 && plan.Demonstrate is not null)
                    shown = await plan.Demonstrate(one.Span!.Content.Input ?? "", ct);
                started = clock.GetTimestamp();
                using var late = new CancellationTokenSource(options.AnswerTimeout, clock);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
                var reply = await plan.Client.GetResponseAsync(Messages(one, shown), plan.Call.Clone(), either.Token);
                return new(
                    one.Row, Text(reply), null, (int?)reply.Usage?.InputTokenCount, (int?)reply.Usage?.OutputTokenCount,
                    plan.CostUsd(reply.Usage),
                    Elapsed(), reply.ModelId ?? plan.ModelId, [.. shown.Select(each => each.Id)]);
            }
            catch (Exception error) when (!ct.IsCancellationRequested)
            {
                var fault = error is TimeoutException or OperationCanceledException
                    ? new Fault(true, null, $"no answer within {options.AnswerTimeout.TotalSeconds:0.#} s", MayHaveCost: true)
                    : faults.Classify(error);
                if (!fault.Retryable || attempt >= options.Attempts)
                    return Failed(one, attempt == 1 ? fault.Reason : $"gave up after {attempt} attempts: {fault.Reason}", Elapsed(), shown);
                TimeSpan wait;
                lock (random)
                    wait = options.Retry.Delay(attempt, fault.RetryAfter, random.NextDouble());
                await Task.Delay(wait, clock, ct);
            }

        double Elapsed() => clock.GetElapsedTime(started).TotalMilliseconds;
    }

    /// <summary>The row with the output that a model gave it.</summary>
    public static EvalCase With(EvalCase one, GeneratedOutput it, bool paidNow) => it.Output is null
        ? one with { Span = null, Problem = $"the model gave no output: {it.Error}", CostUsd = paidNow ? it.CostUsd : 0 }
        : one with
        {
            Span = one.Span! with
            {
                Content = one.Span.Content with
                {
                    Output = it.Output, Model = it.Model, InputTokens = it.InputTokens, OutputTokens = it.OutputTokens,
                    CostUsd = it.CostUsd,
                    DurationMs = it.LatencyMs, Demonstrations = it.Demonstrations,
                },
            },
            NoOutput = null, CostUsd = paidNow ? it.CostUsd : 0,
        };

    GeneratedOutput Failed(EvalCase one, string why, double elapsed, IReadOnlyList<ChosenDemonstration> shown) =>
        new(one.Row, null, why, null, null, 0, elapsed, plan.ModelId, [.. shown.Select(each => each.Id)]);

    /// <summary>
    /// The filled prompt, then demonstrations, then the input, unless the prompt shows the input itself. A prompt that is instructions
    /// only and shows it is sent as what the user says, since no provider answers instructions alone.
    /// </summary>
    List<ChatMessage> Messages(EvalCase one, IReadOnlyList<ChosenDemonstration> shown)
    {
        var rest = new List<ChatMessage>();
        var messages = new List<ChatMessage>();
        if (plan.Prompt is { } prompt)
        {
            foreach (var message in PromptTemplate.Render(prompt.Type, prompt.Template, Variables(one)).Messages)
                (rest.Count == 0 && message.Role is "system" or "developer" ? messages : rest)
                    .Add(new(new ChatRole(message.Role), message.Content));
            if (!PromptTemplate.Variables(prompt.Type, prompt.Template).Contains(Input))
                rest.Add(new(ChatRole.User, one.Span!.Content.Input ?? ""));
            else if (rest.Count == 0)
                (messages, rest) = ([], [.. messages.Select(message => new ChatMessage(ChatRole.User, message.Text))]);
        }
        else
            rest.Add(new(ChatRole.User, one.Span!.Content.Input ?? ""));
        foreach (var each in shown)
        {
            messages.Add(new(ChatRole.User, each.Input));
            messages.Add(new(ChatRole.Assistant, each.Output));
        }
        messages.AddRange(rest);
        return messages;
    }

    /// <summary>Fields of the row, then those of its attributes, then those of an input that is an object.</summary>
    Func<string, string?> Variables(EvalCase one) => name =>
    {
        if (name == Input)
            return one.Span?.Content.Input;
        if (plan.Hidden.Contains(name))
            return null;
        if (one.Fields is { } row
            && (Field(row, name) ?? (row.TryGetProperty("attributes", out var inner) ? Field(inner, name) : null)) is { } found)
            return found;
        try
        {
            return one.Span?.Content.Input is { } input
                && input.AsSpan().TrimStart().StartsWith("{") ? Field(JsonElement.Parse(input), name) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    };

    static string? Field(JsonElement row, string name) =>
        row.ValueKind == JsonValueKind.Object && row.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText()
            : null;

    /// <summary>The text; calls of tools as JSON when there is none.</summary>
    static string Text(ChatResponse reply)
    {
        if (reply.Text.Length > 0)
            return reply.Text;
        var calls = reply.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>().ToArray();
        return calls.Length == 0
            ? "" : JsonSerializer.Serialize(calls.Select(call => new { name = call.Name, arguments = call.Arguments }));
    }
}
