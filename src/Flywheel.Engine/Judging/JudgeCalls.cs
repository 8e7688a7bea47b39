using System.Security.Cryptography;
using System.Text.Json;
using Flywheel.Core.Judging;
using Flywheel.Core.Observability;
using Flywheel.Core.Projects;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Judging;

/// <summary>
/// Asks models: looks first whether the same was asked before, books the cost before each call, reads the reply strictly, and asks once
/// more when it cannot be read.
/// </summary>
sealed class JudgeCalls(JudgeServices services)
{
    /// <exception cref="BudgetExhaustedException">Nothing was asked, or the repair could not be paid for.</exception>
    public async Task<JudgeAnswer> AskAsync(JudgeQuestion question, CancellationToken ct)
    {
        var key = KeyOf(question);
        if (services.Ledger is { } ledger && question.Project is { } project && await ledger.FindAsync(project, key, ct) is { } kept)
            return new(new(kept.Verdict, kept.Critique, kept.Confidence), null, 0, kept.Model);

        var first = await CallAsync(question, question.Messages, key, ct);
        if (first.Judgement is not null)
            return first.Answer;
        var second = await CallAsync(question, JudgePrompt.Repair(question.Messages, first.Text, first.Form!), key, ct);
        return second.Answer with
        {
            CostUsd = first.Answer.CostUsd + second.Answer.CostUsd,
            Problem = second.Judgement is null ? $"{second.Answer.Problem}; its first reply was no better" : null,
        };
    }

    async Task<Reply> CallAsync(JudgeQuestion question, IReadOnlyList<ChatMessage> messages, string key, CancellationToken ct)
    {
        var ledger = question.Project is null ? null : services.Ledger;
        var reservation = new CallReservation(
            question.Project ?? ProjectId.Default, question.Metric, question.ExpectedUsd, services.Clock.GetUtcNow());
        if (ledger is not null && await ledger.ReserveAsync(reservation, ct) is { } limit)
            throw new BudgetExhaustedException(limit);

        using var activity = FlywheelActivities.Source.StartActivity("flywheel.judge", System.Diagnostics.ActivityKind.Client);
        activity?.SetTag("gen_ai.request.model", question.Model.Id);
        var started = services.Clock.GetTimestamp();
        ChatResponse response;
        try
        {
            response = await question.Model.Client.GetResponseAsync(messages, Options(question), ct);
        }
        catch (Exception error)
        {
            Count("failed", started, 0);
            // What was cut off may have been billed: its reservation stays.
            if (ledger is not null && error is not OperationCanceledException && !services.MayHaveCost(error))
                await ledger.SettleAsync(reservation, 0, null, services.Clock.GetUtcNow(), ct);
            throw;
        }

        var reply = Read(question, response);
        Count(reply.Judgement is null ? "unreadable" : "answered", started, reply.Answer.CostUsd);
        if (ledger is not null)
            await ledger.SettleAsync(
                reservation, reply.Answer.CostUsd,
                reply.Judgement is { } it ? new(key, question.Span, it.Verdict, it.Critique, it.Confidence, reply.Answer.Model) : null,
                services.Clock.GetUtcNow(), ct);
        return reply;
    }

    void Count(string outcome, long started, double costUsd)
    {
        FlywheelMeter.JudgeCalls.Add(1, new KeyValuePair<string, object?>(FlywheelMeter.Outcome, outcome));
        FlywheelMeter.JudgeDuration.Record(services.Clock.GetElapsedTime(started).TotalSeconds);
        if (costUsd > 0)
            FlywheelMeter.JudgeCost.Add(costUsd);
    }

    Reply Read(JudgeQuestion question, ChatResponse response)
    {
        var model = response.ModelId ?? question.Model.Id;
        var cost = response.Usage is { } usage && services.Price is { } price ? price(model, usage) : 0;
        var judgement = Judgement.Parse(response.Text, out var problem, out var form);
        if (problem is not null && response.FinishReason is { } reason && reason != ChatFinishReason.Stop)
            problem = $"{problem} (finish reason: {reason.Value})";
        return new(judgement, response.Text, form, new(judgement, problem, cost, model));
    }

    static ChatOptions Options(JudgeQuestion question) => new()
    {
        ResponseFormat = JudgePrompt.ReplyFormat(question.Model.Structured), MaxOutputTokens = question.MaxOutputTokens,
        Temperature = question.Temperature,
    };

    /// <summary>A JSON array has one form only, so no two questions share a key.</summary>
    static string KeyOf(JudgeQuestion question) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(
        (object?[])
        [
            JudgePrompt.TemplateVersion, question.Model.Name, question.Model.Id, (int)question.Model.Structured, question.Temperature,
            question.MaxOutputTokens, question.Content,
        ])));

    /// <param name="Form">What is wrong with the reply, without quoting it.</param>
    sealed record Reply(Judgement? Judgement, string? Text, string? Form, JudgeAnswer Answer);
}
