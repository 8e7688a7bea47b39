using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Judging;

/// <summary>What a model is asked.</summary>
sealed record JudgeQuestion(JudgeModel Model, IReadOnlyList<ChatMessage> Messages, float? Temperature, int MaxOutputTokens);

/// <summary>What came back.</summary>
/// <param name="Judgement">Null when the reply could not be read, neither at first nor after the repair.</param>
/// <param name="Problem">Why not; null when it could.</param>
/// <param name="CostUsd">Of all calls it took.</param>
sealed record JudgeAnswer(Judgement? Judgement, string? Problem, double CostUsd, string? Model);

/// <summary>Asks models, reads their replies strictly, and asks once more when a reply cannot be read.</summary>
sealed class JudgeCalls(JudgeServices services)
{
    public async Task<JudgeAnswer> AskAsync(JudgeQuestion question, CancellationToken ct)
    {
        var first = await CallAsync(question, question.Messages, ct);
        if (first.Judgement is not null)
            return first.Answer;
        var second = await CallAsync(question, JudgePrompt.Repair(question.Messages, first.Text, first.Form!), ct);
        return second.Answer with
        {
            CostUsd = first.Answer.CostUsd + second.Answer.CostUsd,
            Problem = second.Judgement is null ? $"{second.Answer.Problem}; its first reply was no better" : null,
        };
    }

    async Task<Reply> CallAsync(JudgeQuestion question, IReadOnlyList<ChatMessage> messages, CancellationToken ct)
    {
        var options = new ChatOptions
        {
            ResponseFormat = JudgePrompt.ReplyFormat(question.Model.Structured), MaxOutputTokens = question.MaxOutputTokens,
            Temperature = question.Temperature,
        };
        var response = await question.Model.Client.GetResponseAsync(messages, options, ct);
        var model = response.ModelId ?? question.Model.Id;
        var cost = response.Usage is { } usage && services.Price is { } price ? price(model, usage) : 0;
        var judgement = Judgement.Parse(response.Text, out var problem, out var form);
        if (problem is not null && response.FinishReason is { } reason && reason != ChatFinishReason.Stop)
            problem = $"{problem} (finish reason: {reason.Value})";
        return new(judgement, response.Text, form, new(judgement, problem, cost, model));
    }

    /// <param name="Form">What is wrong with the reply, without quoting it.</param>
    sealed record Reply(Judgement? Judgement, string? Text, string? Form, JudgeAnswer Answer);
}
