using Flywheel.Core.Traces;

namespace Flywheel.Engine.Evaluation;

/// <summary>Which fields of a row are what.</summary>
/// <param name="Output">Null: <c>output</c>, else <c>text</c>.</param>
/// <param name="Expected">Field with the right class; null compares nothing.</param>
/// <param name="Attributes">Field with the span's attributes; null takes the whole row.</param>
/// <param name="AllNode">Node of every row that names none; null leaves it open.</param>
/// <param name="AllKind">Kind of every row that names none; null leaves it open.</param>
public sealed record EvalFields(
    string Id, string Input, string? Output, string? Expected, string Node, string Kind, string? Attributes, string? AllNode,
    NodeKind? AllKind)
{
    /// <summary>Fields of a row that no prompt may show, because they hold the answer.</summary>
    public IReadOnlySet<string> Hidden { get; } =
        new HashSet<string>(new[] { "expected", "reference", "output", "label", Expected, Output }.OfType<string>());
}
