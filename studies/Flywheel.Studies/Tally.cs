using System.Text.Json.Nodes;
using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>How often intervals held the truth, and how wide they were.</summary>
sealed class Tally
{
    int _runs, _covered;
    double _width;

    public void Add(Estimate estimate, double truth)
    {
        _runs++;
        _covered += estimate.Low <= truth && truth <= estimate.High ? 1 : 0;
        _width += estimate.Width;
    }

    public double Coverage => (double)_covered / _runs;

    public double Width => _width / _runs;

    public JsonObject Json() => new() { ["coverage"] = Coverage, ["width"] = Width };

    public override string ToString() => FormattableString.Invariant($"{Coverage:0.000}/{Width:0.000}");
}
