using Flywheel.Core.Retrieval;

namespace Flywheel.Validators.Detection;

/// <summary>How near a text is to the topics: half its nearest text, half the topic that is nearest as a whole.</summary>
/// <remarks>
/// The nearest text alone is near by chance when there are thousands; several of one topic are not (AUROC on two public sets:
/// docs/detectors.md). A topic counts by the mean of its best ten texts among the nearest; what is missing there counts 0.
/// </remarks>
sealed class TopicNearness
{
    public const int Neighbours = 40;
    const int Best = 10;

    readonly int[] _topics;
    readonly int[] _sizes;

    public TopicNearness(IReadOnlyList<ReferenceRow> rows)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        _topics = new int[rows.Count];
        for (var i = 0; i < _topics.Length; i++)
        {
            if (!numbers.TryGetValue(rows[i].Topic!, out var number))
                numbers[rows[i].Topic!] = number = numbers.Count;
            _topics[i] = number;
        }
        _sizes = new int[numbers.Count];
        foreach (var topic in _topics)
            _sizes[topic]++;
    }

    /// <returns>The nearest text of the nearest topic stands for it.</returns>
    public Nearness Measure(NearestRow[] found)
    {
        if (found.Length == 0)
            return new(0, -1);
        Span<(int Topic, int Row, int Count, double Sum)> seen = stackalloc (int, int, int, double)[Neighbours];
        var topics = 0;
        foreach (var each in found)
        {
            var topic = _topics[each.Row];
            var at = 0;
            while (at < topics && seen[at].Topic != topic)
                at++;
            if (at == topics)
                seen[topics++] = (topic, each.Row, 0, 0);
            if (seen[at].Count < Best)
                seen[at] = (topic, seen[at].Row, seen[at].Count + 1, seen[at].Sum + each.Similarity);
        }
        var (best, row) = (double.MinValue, -1);
        foreach (var (topic, nearest, _, sum) in seen[..topics])
            if (sum / Math.Min(Best, _sizes[topic]) is var mean && mean > best)
                (best, row) = (mean, nearest);
        return new((found[0].Similarity + best) / 2, row);
    }
}
