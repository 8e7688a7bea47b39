using Flywheel.Core.Metrics;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Validators.Evaluators;

/// <summary>Evaluators of Microsoft.Extensions.AI.Evaluation as validators: <c>evaluator</c> and <c>evaluator.model</c>.</summary>
public static class EvaluatorKinds
{
    /// <param name="named">By the names that metrics use. Each evaluator is asked by many threads at once.</param>
    /// <param name="models">Models for evaluators that ask one; null refuses metrics of <c>evaluator.model</c>.</param>
    public static IEnumerable<IValidatorKind> All(IReadOnlyDictionary<string, IEvaluator> named, EvaluatorModels? models) =>
        [new EvaluatorKind(named, null, asksModel: false), new EvaluatorKind(named, models, asksModel: true)];
}
