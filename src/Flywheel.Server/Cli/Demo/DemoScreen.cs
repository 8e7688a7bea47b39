using System.Globalization;
using Flywheel.Core.Statistics;

namespace Flywheel.Server.Cli.Demo;

/// <summary>What a person sees of the demo: a heading, a row a round as it ends, and what to try next.</summary>
sealed class DemoScreen : IDisposable
{
    const int ColumnWidth = 17;

    readonly IReadOnlyList<string> _nodes;
    readonly bool _terminal = !Console.IsOutputRedirected;
    int _shown;

    DemoScreen(IReadOnlyList<string> nodes) => _nodes = nodes;

    public static DemoScreen Start(DemoReport report, IDemoScenario scenario)
    {
        var nodes = scenario.FixableNodes.Select(node => node.Node).ToArray();
        Console.WriteLine($"{Bold("Flywheel demo")}: {report.Scenario}, {report.Traffic:N0} inputs of traffic, {report.HeldOut:N0} held "
            + "out to measure on");
        Console.WriteLine();
        Console.WriteLine($"Model    {report.Model}: the examples in its prompt vote, weighted by likeness.");
        Console.WriteLine("         It knows nothing by itself: what gets better here gets better because retrieval and people do.");
        Console.WriteLine("Person   The expected answers that come with the rows play the person who labels and corrects,");
        Console.WriteLine("         only for the items that the loop asks about.");
        Console.WriteLine("Figures  right answers on the held-out inputs, which the loop never learns from, with the 95 % interval.");
        Console.WriteLine();
        var header = "round  labels  examples";
        foreach (var node in nodes)
            header += "  " + node.PadRight(ColumnWidth);
        if (nodes.Length > 1)
            header += "  " + "all steps right".PadRight(ColumnWidth);
        Console.WriteLine(Bold(header + "  retrieval"));
        return new DemoScreen(nodes);
    }

    public void Show(DemoRound round)
    {
        Clear();
        var line = string.Create(CultureInfo.InvariantCulture, $"{round.Round,5}  {round.LabelsSpent,6:N0}  {round.Demonstrations,8:N0}");
        foreach (var node in _nodes)
            line += "  " + Cell(round.Nodes[node]);
        if (_nodes.Count > 1)
            line += "  " + Cell(round.PassInterval);
        line += string.Create(CultureInfo.InvariantCulture, $"  {round.RetrievalP50Ms,6:0.00} ms");
        Console.WriteLine(line);
    }

    public void Progress(string what, int done, int total)
    {
        if (!_terminal)
            return;
        var text = $"       {what} {done:N0} of {total:N0}";
        Console.Write("\r" + text.PadRight(_shown));
        _shown = text.Length;
    }

    void Clear()
    {
        if (_terminal && _shown > 0)
            Console.Write("\r" + new string(' ', _shown) + "\r");
        _shown = 0;
    }

    static string Bold(string text) => Console.IsOutputRedirected ? text : $"\e[1m{text}\e[0m";

    static string Cell(Interval rate) => string.Create(
        CultureInfo.InvariantCulture, $"{100 * (rate.Value ?? 0),5:0.0} % ({100 * rate.Low:0}-{100 * rate.High:0})").PadRight(ColumnWidth);

    public static void End(DemoReport report, int? port)
    {
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Bold($"{100 * report.Before.PassRate:0.0} % right before, {100 * report.After.PassRate:0.0} % after")} "
                + $"{report.After.LabelsSpent:N0} answers of a person, {report.After.Fixed:N0} of them fixes "
                + $"({report.ElapsedSeconds:0.0} s)."));
        foreach (var metric in report.After.Metrics)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  metric {metric.Key,-16} passed by {100 * (metric.Value.Value ?? 0):0.0} % of {metric.Value.N:N0} spans (interval "
                    + $"{100 * metric.Value.Low:0.0}-{100 * metric.Value.High:0.0})"));
        Console.WriteLine();
        Console.WriteLine("Next");
        var address = $"http://127.0.0.1:{port ?? 5151}";
        if (port is null)
            Console.WriteLine("  serve it       ./flywheel serve --db sqlite:.flywheel/demo.db   (the addresses below then answer)");
        Console.WriteLine("  the queue      ./flywheel review --db sqlite:.flywheel/demo.db");
        Console.WriteLine($"  the traces     curl {address}/api/v1/traces");
        Console.WriteLine($"  why examples   curl {address}/api/v1/demonstrations/search -H 'content-type: application/json' \\");
        Console.WriteLine("                      -d '{\"node\": \"intent\", \"input\": \"I was charged twice\"}'");
        Console.WriteLine("  your own rows  ./flywheel demo --data rows.csv --text-field text --label-field intent");
        Console.WriteLine("  better vectors ./flywheel models install use-lite   (26 MB, then the same demo again)");
        Console.WriteLine("  your own app   docs/client.md: one line on any IChatClient");
        Console.WriteLine();
    }

    public void Dispose() => Clear();
}
