using Flywheel.Core.Traces;
using Flywheel.Demo.Orders;

namespace Flywheel.Demo;

/// <summary>What the pipeline made of one message.</summary>
/// <param name="Intent">The specialist that was asked; <c>general</c> when the classifier named none.</param>
/// <param name="Sql">The statement that ran; null when the message needed no data.</param>
/// <param name="Orders">What it gave; null when there was none.</param>
/// <param name="Text">The reply, facts filled in.</param>
/// <param name="IsAnswered">False when the writer used a fact that was not there, and <paramref name="Text"/> says so instead.</param>
/// <param name="Root">The span of the whole message.</param>
/// <param name="Steps">The nodes in the order in which they ran.</param>
public sealed record SupportAnswer(
    string Intent, string? Sql, OrdersAnswer? Orders, string Text, bool IsAnswered, SpanKey Root, IReadOnlyList<SupportStep> Steps)
{
    /// <summary>Null when the node did not run.</summary>
    public SupportStep? Step(string node) => Steps.FirstOrDefault(step => step.Node == node);
}

/// <summary>One node's turn.</summary>
/// <param name="Span">The recorded call, for labels and corrections; null for a model node that nothing watches.</param>
/// <param name="Output">What it said, before the pipeline read it.</param>
public sealed record SupportStep(string Node, NodeKind Kind, SpanKey? Span, string Input, string Output);
