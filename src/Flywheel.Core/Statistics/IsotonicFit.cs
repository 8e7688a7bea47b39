namespace Flywheel.Core.Statistics;

/// <summary>The rising step function that fits outcomes best in the least squares.</summary>
/// <remarks>Pool adjacent violators. Overfits below about 1,000 labels.</remarks>
public sealed class IsotonicFit
{
    readonly double[] _starts;
    readonly double[] _values;

    IsotonicFit(double[] starts, double[] values) => (_starts, _values) = (starts, values);

    /// <param name="points">Score and outcome in any order; equal scores share a value. Weight counts as so many outcomes.</param>
    public static IsotonicFit Fit(IEnumerable<(double Score, double Outcome, double Weight)> points)
    {
        var blocks = new List<(double Start, double Sum, double Weight)>();
        foreach (var group in points.GroupBy(point => point.Score).OrderBy(group => group.Key))
        {
            blocks.Add((group.Key, group.Sum(point => point.Outcome * point.Weight), group.Sum(point => point.Weight)));
            while (blocks.Count > 1 && blocks[^1].Sum * blocks[^2].Weight <= blocks[^2].Sum * blocks[^1].Weight)
            {
                var (start, sum, weight) = blocks[^2];
                blocks[^2] = (start, sum + blocks[^1].Sum, weight + blocks[^1].Weight);
                blocks.RemoveAt(blocks.Count - 1);
            }
        }
        return blocks.Count == 0
            ? throw new ArgumentException("An isotonic fit needs a point.", nameof(points))
            : new IsotonicFit([.. blocks.Select(block => block.Start)], [.. blocks.Select(block => block.Sum / block.Weight)]);
    }

    /// <summary>The step that holds at a score; scores below the first one take its value.</summary>
    public double At(double score)
    {
        var at = Array.BinarySearch(_starts, score);
        return _values[Math.Max(0, at >= 0 ? at : ~at - 1)];
    }
}
