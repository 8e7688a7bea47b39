namespace Flywheel.Engine.Models.Offline;

/// <summary>How much of the vote an answer has.</summary>
/// <param name="Index">Of the candidate that speaks for the answer: the most similar of those that share it.</param>
/// <param name="Share">In (0, 1]; all shares sum to 1.</param>
internal readonly record struct Winner(int Index, double Share);

/// <summary>Softmax vote of candidates by their similarity to a question.</summary>
internal static class NearestNeighbours
{
    /// <summary>A candidate this much less similar (cosine) than the best counts for 1/e of it.</summary>
    /// <remarks>Chosen on training rows of Banking77 (k = 8; pools of 77 to 8,500 rows; lexical and hybrid vectors).</remarks>
    public const double Temperature = 0.1;

    /// <param name="similarities">Cosine of each candidate to the question; at least one.</param>
    /// <param name="answers">Candidates with equal answers vote together.</param>
    /// <remarks>Of equal shares, the answer with the more similar candidate wins, then the later one.</remarks>
    public static Winner Vote(IReadOnlyList<double> similarities, IReadOnlyList<string> answers)
    {
        var best = similarities.Max();
        var total = 0.0;
        var votes = new Dictionary<string, (double Weight, int Index)>();
        for (var i = 0; i < similarities.Count; i++)
        {
            var weight = Math.Exp((similarities[i] - best) / Temperature);
            total += weight;
            var sofar = votes.GetValueOrDefault(answers[i], (Weight: 0, Index: i));
            votes[answers[i]] = (sofar.Weight + weight, similarities[i] >= similarities[sofar.Index] ? i : sofar.Index);
        }

        var winner = votes.Values
            .OrderByDescending(vote => vote.Weight)
            .ThenByDescending(vote => similarities[vote.Index])
            .ThenByDescending(vote => vote.Index)
            .First();
        return new(winner.Index, winner.Weight / total);
    }
}
