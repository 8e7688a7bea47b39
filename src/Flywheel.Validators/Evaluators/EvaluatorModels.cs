using Microsoft.Extensions.AI;

namespace Flywheel.Validators.Evaluators;

/// <summary>Models for evaluators that ask one.</summary>
/// <param name="Chat">The chat client of the provider with this name; null asks for the default. Throws when there is none.</param>
/// <param name="CostUsd">US dollars for a call of a model, named as the provider names it (null when unknown); null: calls are
/// free.</param>
public sealed record EvaluatorModels(Func<string?, IChatClient> Chat, Func<string?, UsageDetails, double>? CostUsd = null);
