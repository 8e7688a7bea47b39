using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flywheel.Client;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Demo;
using Flywheel.Demo.Orders;
using Microsoft.Extensions.AI;

namespace Flywheel.Server.Cli.Demo;

/// <summary>The support bot of <c>samples/SupportBot</c> with the messages that come with it; every third message is held out.</summary>
sealed partial class SupportScenario : IDemoScenario
{
    readonly IChatClient _model;
    readonly OrdersDatabase _orders = OrdersDatabase.Create();
    readonly SupportMessage[] _traffic;
    readonly SupportMessage[] _heldOut;
    readonly Dictionary<string, SupportMessage> _byTrace = [];

    public SupportScenario(IChatClient model)
    {
        _model = model;
        var shuffled = SupportMessages.Load().OrderBy(message => Hash(message.Text)).ToArray();
        _heldOut = [.. shuffled.Where((_, i) => i % 3 == 0)];
        _traffic = [.. shuffled.Where((_, i) => i % 3 != 0)];
    }

    public string Title => "support bot";
    public IReadOnlyList<(string Node, NodeKind Kind)> FixableNodes { get; } =
    [
        (SupportNodes.Intent, NodeKind.Classifier), (SupportNodes.OrdersSql, NodeKind.Codegen), (SupportNodes.Answer, NodeKind.Writer),
    ];

    public int Traffic => _traffic.Length;
    public int HeldOut => _heldOut.Length;

    public IReadOnlyList<NewMetric> Metrics =>
    [
        Metric("intent.known", "Is the answer one of the declared options?", SupportNodes.Intent, "one-of",
            new { values = SupportNodes.Intents }),
        Metric("sql.reads-only", "Is it one SELECT, or NONE?", SupportNodes.OrdersSql, "regex",
            new { pattern = @"^\s*(SELECT\b[^;]*|NONE)\s*$", match = "full" }),
        Metric("sql.own-rows", "Is every statement restricted to the signed-in customer?", SupportNodes.OrdersSql, "sql-expression",
            new { expression = "output = 'NONE' OR instr(output, '@customer_id') > 0" }),
        Metric("answer.plain", "Is it free of worn-out words?", SupportNodes.Answer, "absent",
            new { words = new[] { "delve", "crucial", "leverage", "utilize" } }),
        Metric("answer.short", "Does it stay under 600 characters?", SupportNodes.Answer, "length", new { max = 600, unit = "characters" }),
    ];

    static NewMetric Metric(string name, string criterion, string node, string validator, object settings) => new(
        name, criterion, MetricSubject.Output, [node], null, 1, new ValidatorSpec(validator, JsonSerializer.SerializeToElement(settings)),
        "demo");

    public async Task RunTrafficAsync(ILoop loop, int from, int count, Action<int> report, CancellationToken ct)
    {
        await using var connection = new FlywheelConnection(loop);
        var pipeline = Pipeline(connection);
        for (var i = 0; i < count; i++)
        {
            var message = _traffic[from + i];
            var answer = await pipeline.AskAsync(message, ct);
            _byTrace[answer.Root.Trace] = message;
            report(i + 1);
        }
        await connection.FlushAsync(ct);
    }

    public async Task<DemoScore> EvaluateAsync(ILoop loop, Action<int> report, CancellationToken ct)
    {
        await using var connection = new FlywheelConnection(loop);
        var pipeline = Pipeline(connection);
        int intents = 0, queries = 0, answers = 0, needFacts = 0, whole = 0;
        for (var i = 0; i < _heldOut.Length; i++)
        {
            var message = _heldOut[i];
            var answer = await pipeline.AskAsync(message, ct);
            var routed = answer.Intent == message.Intent;
            var looked = Same(answer.Orders?.Rows, message.ExpectedRows);
            intents += routed ? 1 : 0;
            queries += looked ? 1 : 0;
            var told = message.Sql is null
                || (answer.IsAnswered && FactsIn(answer.Step(SupportNodes.Answer)?.Output).SetEquals(FactsIn(message.ExpectedAnswer)));
            if (message.Sql is not null)
            {
                needFacts++;
                answers += told ? 1 : 0;
            }
            whole += routed && looked && told ? 1 : 0;
            report(i + 1);
        }
        return new DemoScore(_heldOut.Length, whole, new Dictionary<string, (int, int)>
        {
            [SupportNodes.Intent] = (intents, _heldOut.Length),
            [SupportNodes.OrdersSql] = (queries, _heldOut.Length),
            [SupportNodes.Answer] = (answers, needFacts),
        });
    }

    SupportPipeline Pipeline(FlywheelConnection connection) => new(
        _model, _orders, new SupportOptions(), (node, kind, inner) => inner.UseFlywheel(
            connection, node, kind, options => options.RetrievalDeadline = Timeout.InfiniteTimeSpan));

    public string? ExpectedOutput(Span span) => _byTrace.GetValueOrDefault(span.Key.Trace)?.ExpectedOutput(span.Content.Node);

    public void Dispose() => _orders.Dispose();

    /// <summary>The facts that a reply states: its placeholders.</summary>
    static HashSet<string> FactsIn(string? reply) => [.. Placeholder().Matches(reply ?? "").Select(match => match.Value)];

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Placeholder();

    /// <summary>Rows as data: the same values under the same names in the same order.</summary>
    static bool Same(IReadOnlyList<JsonObject>? given, IReadOnlyList<JsonObject>? expected)
    {
        if ((given?.Count ?? 0) != (expected?.Count ?? 0))
            return false;
        for (var i = 0; i < (given?.Count ?? 0); i++)
            if (!JsonNode.DeepEquals(given![i], expected![i]))
                return false;
        return true;
    }

    static ulong Hash(string text) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
