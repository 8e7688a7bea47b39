using Flywheel.Core.Traces;

namespace Flywheel.Demo;

/// <summary>The nodes of the graph: intent → one specialist → orders_sql → orders_query → answer.</summary>
public static class SupportNodes
{
    public const string Intent = "intent";
    public const string Billing = "billing";
    public const string Technical = "technical";
    public const string General = "general";
    public const string OrdersSql = "orders_sql";
    public const string OrdersQuery = "orders_query";
    public const string Answer = "answer";

    /// <summary>The specialists, which are also the options of the intent node.</summary>
    public static IReadOnlyList<string> Intents { get; } = [Billing, Technical, General];

    public static NodeKind KindOf(string node) => node switch
    {
        Intent => NodeKind.Classifier,
        OrdersSql => NodeKind.Codegen,
        OrdersQuery => NodeKind.Tool,
        Billing or Technical or General or Answer => NodeKind.Writer,
        _ => throw new ArgumentOutOfRangeException(nameof(node), node, "No such node in the support graph."),
    };
}
