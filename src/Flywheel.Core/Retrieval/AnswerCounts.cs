namespace Flywheel.Core.Retrieval;

/// <summary>The few answers that many rows share (labels, verdicts), each kept as one string, with their rows counted.</summary>
internal sealed class AnswerCounts
{
    /// <summary>More different answers than this are not labels to be balanced.</summary>
    public const int MostLabels = 32;

    private const int LongestLabel = 64;

    private readonly Dictionary<string, (string Shared, int Rows)> _counts = [];

    /// <summary>The answers in use, in ordinal order; empty when there are more than <see cref="MostLabels"/>.</summary>
    public string[] Common { get; private set; } = [];

    /// <summary>Counts a row in and returns the string to keep for its answer.</summary>
    public string Add(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        if (answer.Length > LongestLabel)
            return answer;
        if (_counts.TryGetValue(answer, out var known))
        {
            _counts[answer] = known with { Rows = known.Rows + 1 };
            return known.Shared;
        }

        _counts[answer] = (answer, 1);
        Refresh();
        return answer;
    }

    public void Remove(string answer)
    {
        if (!_counts.TryGetValue(answer, out var known))
            return;
        if (known.Rows > 1)
        {
            _counts[answer] = known with { Rows = known.Rows - 1 };
            return;
        }

        _counts.Remove(answer);
        Refresh();
    }

    private void Refresh() =>
        Common = _counts.Count > MostLabels ? [] : [.. _counts.Keys.Order(StringComparer.Ordinal)];
}
