using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Judging;

/// <summary>What a model is asked.</summary>
/// <param name="Project">Who pays; null outside any project, and then nothing is booked or kept.</param>
/// <param name="Metric">Its name.</param>
/// <param name="Span">Whose text is judged; null when it is nobody's.</param>
/// <param name="Content">All that is asked but for the fence, which differs from call to call: what the reply is kept under.</param>
/// <param name="ExpectedUsd">What one call should cost at most.</param>
sealed record JudgeQuestion(
    ProjectId? Project, string Metric, SpanId? Span, JudgeModel Model, IReadOnlyList<ChatMessage> Messages, IReadOnlyList<string> Content,
    float? Temperature, int MaxOutputTokens, double ExpectedUsd);

/// <summary>What came back.</summary>
/// <param name="Judgement">Null when the reply could not be read, neither at first nor after the repair.</param>
/// <param name="Problem">Why not; null when it could.</param>
/// <param name="CostUsd">Of all calls it took; 0 for a reply that was kept.</param>
sealed record JudgeAnswer(Judgement? Judgement, string? Problem, double CostUsd, string? Model);
