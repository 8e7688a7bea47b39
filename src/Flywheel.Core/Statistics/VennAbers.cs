namespace Flywheel.Core.Statistics;

/// <summary>An interval of probabilities for one more verdict, one end of which is calibrated whatever the scores are like.</summary>
/// <remarks>
/// Inductive Venn-Abers predictors, Vovk and Petej (arXiv 1211.0025): the isotonic fit with the new score taken once as an error and once
/// as agreement. A new point can only break up the block that it falls into, so a question costs the size of that block and the number
/// of blocks, not the number of labels.
/// </remarks>
public sealed class VennAbers
{
    readonly double[] _scores;
    readonly double[] _sums;
    readonly double[] _weights;

    /// <summary>Index of each block's first score, and what the block adds up to.</summary>
    readonly int[] _blocks;
    readonly (double Sum, double Weight)[] _totals;

    VennAbers(double[] scores, double[] sums, double[] weights)
    {
        (_scores, _sums, _weights) = (scores, sums, weights);
        var blocks = new Stack();
        for (var i = 0; i < scores.Length; i++)
            blocks.Push(sums[i], weights[i], i);
        (_blocks, _totals) = blocks.Read();
    }

    /// <param name="points">Score and whether the person agreed, of rows that the score was not fitted on.</param>
    public static VennAbers Fit(IEnumerable<(double Score, bool Agreed)> points) =>
        Fit(points.Select(point => (point.Score, point.Agreed ? 1.0 : 0, 1.0)));

    /// <param name="points">Score, weight of the agreements at it and weight of all at it; a new verdict weighs 1.</param>
    public static VennAbers Fit(IEnumerable<(double Score, double Agreed, double Weight)> points)
    {
        // Equal scores are one weighted point.
        var groups = points.GroupBy(point => point.Score).OrderBy(group => group.Key).ToArray();
        return new VennAbers(
            [.. groups.Select(group => group.Key)], [.. groups.Select(group => group.Sum(point => point.Agreed))],
            [.. groups.Select(group => group.Sum(point => point.Weight))]);
    }

    /// <returns>Low: taken as an error; high: taken as agreement. Without any point (0, 1).</returns>
    public (double Low, double High) Interval(double score) => (With(score, 0), With(score, 1));

    /// <summary>One probability out of the two ends, the one of least regret in log-loss.</summary>
    public double Predict(double score)
    {
        var (low, high) = Interval(score);
        return high / (1 - low + high);
    }

    /// <summary>The isotonic fit at a score that joins the points with this outcome.</summary>
    double With(double score, double outcome)
    {
        var found = Array.BinarySearch(_scores, score);
        var at = found >= 0 ? found : ~found;
        // The block that holds the scores next below and next above, if it is one; its neighbours stay whole.
        var block = Array.BinarySearch(_blocks, Math.Max(0, found >= 0 ? at : at - 1));
        block = block >= 0 ? block : ~block - 1;
        var fit = new Stack();
        for (var b = 0; b < block; b++)
            Whole(b);
        var (start, end) = block < 0 ? (0, 0) : (_blocks[block], End(block));
        for (var i = start; i < at; i++)
            fit.Push(_sums[i], _weights[i], i);
        fit.Push(outcome + (found >= 0 ? _sums[at] : 0), 1 + (found >= 0 ? _weights[at] : 0), at);
        for (var i = found >= 0 ? at + 1 : at; i < end; i++)
            fit.Push(_sums[i], _weights[i], i + 1);
        for (var b = block + 1; b < _blocks.Length; b++)
            Whole(b);
        return fit.At(at);

        // What stands above the new point is counted one further, so that the point has a position of its own.
        void Whole(int b) => fit.Push(_totals[b].Sum, _totals[b].Weight, b < block ? _blocks[b] : _blocks[b] + 1);

        int End(int b) => b + 1 < _blocks.Length ? _blocks[b + 1] : _scores.Length;
    }

    /// <summary>Blocks of rising means; a push pools what would fall.</summary>
    sealed class Stack
    {
        readonly List<(double Sum, double Weight, int Start)> _blocks = [];

        public (int[] Starts, (double, double)[] Totals) Read() =>
            ([.. _blocks.Select(block => block.Start)], [.. _blocks.Select(block => (block.Sum, block.Weight))]);

        public void Push(double sum, double weight, int start)
        {
            while (_blocks.Count > 0 && sum * _blocks[^1].Weight <= _blocks[^1].Sum * weight)
            {
                (sum, weight, start) = (sum + _blocks[^1].Sum, weight + _blocks[^1].Weight, _blocks[^1].Start);
                _blocks.RemoveAt(_blocks.Count - 1);
            }
            _blocks.Add((sum, weight, start));
        }

        /// <summary>The mean of the last block that starts at or before a position.</summary>
        public double At(int position)
        {
            for (var i = _blocks.Count - 1; i >= 0; i--)
                if (_blocks[i].Start <= position)
                    return _blocks[i].Sum / _blocks[i].Weight;
            return _blocks[0].Sum / _blocks[0].Weight;
        }
    }
}
