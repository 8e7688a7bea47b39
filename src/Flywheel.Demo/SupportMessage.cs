using System.Text.Json.Nodes;

namespace Flywheel.Demo;

/// <summary>A customer's message and, for the rows that ship with the sample, what a good pipeline makes of it.</summary>
/// <param name="Intent">The team that it belongs to: <c>billing</c>, <c>technical</c> or <c>general</c>.</param>
/// <param name="Language"><c>en</c> or <c>de</c>.</param>
/// <param name="CustomerId">The signed-in customer; comes from the session, never from the text.</param>
/// <param name="Kind"><c>out-of-scope</c>, <c>hostile</c> or <c>typo</c>; null for an ordinary message.</param>
/// <param name="Sql">Short name of what must be looked up, such as <c>refund_state</c>; null when nothing must.</param>
/// <param name="ReferenceSql">A statement that looks it up; the same text for all messages with this <paramref name="Sql"/>.</param>
/// <param name="ExpectedRows">What the reference statement gives for this customer.</param>
/// <param name="ExpectedAnswer">A good reply, facts as placeholders (see <see cref="FactText"/>).</param>
public sealed record SupportMessage(
    string Id,
    string Text,
    string Intent,
    string Language,
    int CustomerId,
    string Session,
    string? Kind = null,
    string? Sql = null,
    string? ReferenceSql = null,
    IReadOnlyList<JsonObject>? ExpectedRows = null,
    string? ExpectedAnswer = null)
{
    /// <summary>What the node should have said; null when the sample does not know or the node is not asked.</summary>
    public string? ExpectedOutput(string node) => node switch
    {
        SupportNodes.Intent => Intent,
        SupportNodes.OrdersSql => ReferenceSql ?? SqlReply.None,
        SupportNodes.Answer => ExpectedAnswer,
        _ when node == Intent && Sql is null => ExpectedAnswer,
        _ => null,
    };
}
