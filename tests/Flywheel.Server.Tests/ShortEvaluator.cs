using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Server.Tests;

/// <summary>How many characters an answer has.</summary>
public sealed class ShortEvaluator : IEvaluator
{
    public IReadOnlyCollection<string> EvaluationMetricNames => ["characters"];

    public ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages, ChatResponse modelResponse, ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null, CancellationToken cancellationToken = default) =>
        new(new EvaluationResult(new NumericMetric("characters", modelResponse.Text.Length)));
}
