using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Client;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Server.Cli.Demo;

/// <summary>A labelled text.</summary>
sealed record DemoRow(string Text, string Label);

/// <summary>The user's own rows as a one-node application: a classifier that is asked for the label of a text.</summary>
sealed class RowsScenario : IDemoScenario
{
    public const string Node = "intent";

    /// <summary>Rows come faster than from people: the queue of spans must not overflow.</summary>
    const int FlushEvery = 1_000;

    readonly IChatClient _model;
    readonly string _prompt;
    readonly DemoRow[] _traffic;
    readonly DemoRow[] _heldOut;
    readonly Dictionary<string, string> _labels = [];
    readonly string[] _options;

    /// <param name="heldOut">Rows to measure on; null holds out every fifth text.</param>
    public RowsScenario(string title, IReadOnlyList<DemoRow> rows, IReadOnlyList<DemoRow>? heldOut, IChatClient model)
    {
        Title = title;
        _model = model;
        _traffic = [.. rows.Where(row => heldOut is not null || !IsHeldOut(row.Text)).OrderBy(row => Hash("order", row.Text))];
        _heldOut = [.. heldOut ?? rows.Where(row => IsHeldOut(row.Text))];
        if (_traffic.Length < 20 || _heldOut.Length < 5)
            throw new FlywheelException($"{rows.Count} rows are too few: the demo needs at least 20 to run and 5 to hold out.");
        foreach (var row in _traffic)
            _labels[row.Text] = row.Label;
        _options = [.. _traffic.Select(row => row.Label).Distinct().Order(StringComparer.Ordinal)];
        if (_options.Length < 2)
            throw new FlywheelException("All rows have the same label: a classifier needs at least two.");
        _prompt = "Classify the text. Answer with one of these options and nothing else.\n\nOptions:\n"
            + string.Join('\n', _options.Select(option => "- " + option));
    }

    public string Title { get; }
    public IReadOnlyList<(string Node, NodeKind Kind)> FixableNodes { get; } = [(Node, NodeKind.Classifier)];
    public int Traffic => _traffic.Length;
    public int HeldOut => _heldOut.Length;

    public IReadOnlyList<NewMetric> Metrics =>
    [
        new("intent.known", "Is the answer one of the declared options?", MetricSubject.Output, [Node], null, 1,
            new ValidatorSpec("one-of", JsonSerializer.SerializeToElement(new { values = _options })), "demo"),
    ];

    public async Task RunTrafficAsync(ILoop loop, int from, int count, Action<int> report, CancellationToken ct)
    {
        await using var connection = new FlywheelConnection(loop);
        var client = _model.UseFlywheel(
            connection, Node, NodeKind.Classifier, options => options.RetrievalDeadline = Timeout.InfiniteTimeSpan);
        for (var i = 0; i < count; i++)
        {
            await AskAsync(client, _traffic[from + i].Text, ct);
            if (i % FlushEvery == 0)
                await connection.FlushAsync(ct);
            report(i + 1);
        }
        await connection.FlushAsync(ct);
    }

    public async Task<DemoScore> EvaluateAsync(ILoop loop, Action<int> report, CancellationToken ct)
    {
        await using var connection = new FlywheelConnection(loop);
        var client = _model.UseFlywheel(
            connection, Node, NodeKind.Classifier, options => options.RetrievalDeadline = Timeout.InfiniteTimeSpan);
        var right = 0;
        for (var i = 0; i < _heldOut.Length; i++)
        {
            right += await AskAsync(client, _heldOut[i].Text, ct) == _heldOut[i].Label ? 1 : 0;
            if (i % FlushEvery == 0)
                await connection.FlushAsync(ct);
            report(i + 1);
        }
        return new DemoScore(_heldOut.Length, right, new Dictionary<string, (int, int)> { [Node] = (right, _heldOut.Length) });
    }

    async Task<string> AskAsync(IChatClient client, string text, CancellationToken ct) =>
        (await client.GetResponseAsync(
            [new ChatMessage(ChatRole.System, _prompt), new ChatMessage(ChatRole.User, text)], cancellationToken: ct)).Text;

    public string? ExpectedOutput(Span span) => span.Content.Input is { } input ? _labels.GetValueOrDefault(input) : null;

    public void Dispose()
    {
    }

    static bool IsHeldOut(string text) => Hash("held-out", text) % 5 == 0;

    static ulong Hash(string purpose, string text) =>
        BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{purpose}\n{text.Trim().ToLowerInvariant()}")));
}
