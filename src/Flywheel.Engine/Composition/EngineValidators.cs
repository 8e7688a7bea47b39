using Flywheel.Core.Metrics;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Metrics.Sql;
using Flywheel.Engine.Metrics.Validators;

namespace Flywheel.Engine.Composition;

/// <summary>The kinds of validators that come with the engine itself; the package Flywheel.Validators has more.</summary>
public static class EngineValidators
{
    /// <summary>What is not given makes only the metrics fail that need it.</summary>
    public static IReadOnlyList<IValidatorKind> All(
        ITokenCounter? tokens = null, ISqlEvaluator? sql = null, JudgeServices? judges = null) =>
        [.. TextKinds.All(tokens, sql), new JudgeKind(judges)];

    /// <summary>These kinds and <paramref name="further"/> ones.</summary>
    public static ValidatorRegistry Registry(
        ITokenCounter? tokens = null, ISqlEvaluator? sql = null, JudgeServices? judges = null,
        IEnumerable<IValidatorKind>? further = null) =>
        new([.. All(tokens, sql, judges), .. further ?? []]);
}
