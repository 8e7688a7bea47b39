using Flywheel.Core.Statistics;

namespace Flywheel.Server.Cli.Demo;

/// <param name="IntentAccuracy">Share of held-out inputs that the classifier got right.</param>
/// <param name="PassRate">Share of held-out inputs whose every checked step was right.</param>
/// <param name="LabelsSpent">Outputs that the person has fixed or confirmed so far.</param>
/// <param name="Demonstrations">Approved examples in use.</param>
/// <param name="RetrievalP50Ms">Median time to find a prompt's examples, milliseconds.</param>
/// <param name="Nodes">Per node: right answers on the held-out inputs with 95 % interval.</param>
/// <param name="Metrics">Per metric: pass rate of the round's traffic so far, as the validators say.</param>
sealed record DemoRound(
    int Round, double IntentAccuracy, Interval IntentInterval, double PassRate, Interval PassInterval, int LabelsSpent, int Fixed,
    int Demonstrations,
    double RetrievalP50Ms, int TrafficSeen, IReadOnlyDictionary<string, Interval> Nodes, IReadOnlyDictionary<string, Interval> Metrics);

sealed record DemoReport(
    string Scenario, string Model, string Embedder, string Database, int Traffic, int HeldOut, string Person,
    IReadOnlyList<DemoRound> Rounds,
    double ElapsedSeconds)
{
    public DemoRound Before => Rounds[0];
    public DemoRound After => Rounds[^1];
}
