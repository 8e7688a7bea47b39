using Flywheel.Client;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;
using Flywheel.Demo.Orders;

namespace Flywheel.Demo;

/// <summary>Wraps the model of one node, for example with Flywheel's middleware.</summary>
public delegate IChatClient NodeHook(string node, NodeKind kind, IChatClient inner);

/// <summary>The support graph: sorts a message, drafts, looks up the customer's data, and replies.</summary>
/// <remarks>
/// Each model node is one call with a system prompt and a user message. A message is one trace: its root span, the calls that the
/// hook's clients record, and the query.
/// </remarks>
public sealed class SupportPipeline
{
    /// <summary>The node of a message's root span.</summary>
    public const string RootNode = "support";

    const string NotAnswered =
        "I could not look this up just now. A colleague will reply to you shortly. / Ein Kollege wird Ihnen in Kürze antworten.";

    readonly OrdersQuery query;
    readonly Dictionary<string, IChatClient> models;

    /// <param name="hook">Called once for each model node; null leaves the model as it is.</param>
    public SupportPipeline(IChatClient model, OrdersDatabase orders, SupportOptions options, NodeHook? hook = null)
    {
        query = new(orders, options.QueryDeadline, options.MaxRows);
        string[] nodes = [SupportNodes.Intent, .. SupportNodes.Intents, SupportNodes.OrdersSql, SupportNodes.Answer];
        models = nodes.ToDictionary(node => node, node => hook?.Invoke(node, SupportNodes.KindOf(node), model) ?? model);
    }

    /// <summary>Answers one message of the signed-in customer.</summary>
    /// <remarks>A wrong statement or reply is in the answer; a model that cannot be reached throws.</remarks>
    public async Task<SupportAnswer> AskAsync(SupportMessage message, CancellationToken ct)
    {
        using var trace = FlywheelTrace.Start(message.Session, $"customer-{message.CustomerId}");
        using var root = FlywheelScope.Node(RootNode, NodeKind.Other);
        root.Input = message.Text;
        try
        {
            var answer = await AnswerAsync(message, root.Key, ct);
            root.Output = answer.Text;
            return answer;
        }
        catch (Exception failure)
        {
            root.Fail(failure);
            throw;
        }
    }

    async Task<SupportAnswer> AnswerAsync(SupportMessage message, SpanKey root, CancellationToken ct)
    {
        var steps = new List<SupportStep>();
        var intent = ReadIntent(await CallAsync(SupportNodes.Intent, message.Text, steps, ct));
        var draft = await CallAsync(intent, message.Text, steps, ct);
        var sql = SqlReply.Statement(await CallAsync(SupportNodes.OrdersSql, message.Text, steps, ct));
        var orders = sql is null ? null : LookUp(sql, message, steps, ct);
        var reply = await CallAsync(SupportNodes.Answer, SupportPrompts.AnswerInput(message.Text, draft, orders), steps, ct);

        var text = FactText.Fill(reply, orders?.Rows ?? []);
        return new(intent, sql, orders, text ?? NotAnswered, text is not null, root, steps);
    }

    async Task<string> CallAsync(string node, string input, List<SupportStep> steps, CancellationToken ct)
    {
        ChatMessage[] prompt = [new(ChatRole.System, SupportPrompts.Of(node)), new(ChatRole.User, input)];
        var response = await models[node].GetResponseAsync(prompt, options: null, ct);
        steps.Add(new(node, SupportNodes.KindOf(node), response.SpanKey(), input, response.Text));
        return response.Text;
    }

    OrdersAnswer LookUp(string sql, SupportMessage message, List<SupportStep> steps, CancellationToken ct)
    {
        using var step = FlywheelScope.Node(SupportNodes.OrdersQuery, NodeKind.Tool);
        step.Input = sql;
        var answer = query.Run(sql, message.CustomerId, OrderNumber.In(message.Text), ct);
        step.Output = answer.ToJson();
        step.Error = answer.Error;
        steps.Add(new(SupportNodes.OrdersQuery, NodeKind.Tool, step.Key, sql, step.Output));
        return answer;
    }

    /// <summary>The option that the reply names first.</summary>
    static string ReadIntent(string reply) =>
        SupportNodes.Intents
            .Select(option => (Option: option, At: reply.IndexOf(option, StringComparison.OrdinalIgnoreCase)))
            .Where(found => found.At >= 0)
            .OrderBy(found => found.At)
            .Select(found => found.Option)
            .FirstOrDefault(SupportNodes.General);
}
