using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Server.Cli.Demo;

/// <summary>An application with expected answers, for the demo to run the loop on.</summary>
interface IDemoScenario : IDisposable
{
    string Title { get; }

    /// <summary>The nodes whose outputs a person may fix, the ones that matter most first.</summary>
    IReadOnlyList<(string Node, NodeKind Kind)> FixableNodes { get; }

    IReadOnlyList<NewMetric> Metrics { get; }

    int Traffic { get; }
    int HeldOut { get; }

    /// <summary>Sends a share of the traffic through the application, which logs to <paramref name="loop"/>.</summary>
    /// <param name="report">Called with how many inputs are done.</param>
    Task RunTrafficAsync(ILoop loop, int from, int count, Action<int> report, CancellationToken ct);

    /// <summary>Runs the inputs that are never shown to the loop, and counts what is right.</summary>
    Task<DemoScore> EvaluateAsync(ILoop loop, Action<int> report, CancellationToken ct);

    /// <summary>What the person says that this output should have been; null when the expected answers do not tell.</summary>
    string? ExpectedOutput(Span span);
}

/// <summary>Right answers among the held-out inputs.</summary>
/// <param name="Nodes">Per node: how often it ran with a known answer, and how often it was right.</param>
/// <param name="WholeRight">Inputs whose every checked step was right.</param>
sealed record DemoScore(int Inputs, int WholeRight, IReadOnlyDictionary<string, (int Right, int Checked)> Nodes);
