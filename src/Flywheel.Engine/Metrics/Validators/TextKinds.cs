using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics.Sql;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Kinds that need no model: words, patterns, lengths, JSON, SQL expressions, and verdicts from outside.</summary>
public static class TextKinds
{
    /// <summary>What is not given makes only the metrics fail that need it.</summary>
    public static IReadOnlyList<IValidatorKind> All(ITokenCounter? tokens = null, ISqlEvaluator? sql = null) =>
    [
        new ContainsKind(), new AbsentKind(), new RegexKind(), new LengthKind(tokens), new OneOfKind(), new JsonKind(),
        new SqlExpressionKind(sql),
        new ExactMatchKind(), new ClassifierRuleKind(), new ExternalKind(),
    ];
}
