namespace Flywheel.Core;

/// <summary>What somebody who mistyped a word probably meant.</summary>
public static class NearMiss
{
    /// <summary><c> Did you mean `output`?</c> with a leading space, or nothing when no known word is near.</summary>
    public static string Hint(string word, IEnumerable<string> known)
    {
        var best = known
            .Select(candidate => (Candidate: candidate, Distance: Distance(word.ToLowerInvariant(), candidate)))
            .Where(pair => pair.Distance <= Math.Max(1, Math.Min(word.Length, pair.Candidate.Length) / 3))
            .OrderBy(pair => pair.Distance)
            .Select(pair => pair.Candidate)
            .FirstOrDefault();
        return best is null ? "" : $" Did you mean `{best}`?";
    }

    /// <summary>The words quoted for a message: <c>`a`, `b` and `c`</c>.</summary>
    public static string List(IEnumerable<string> words)
    {
        var quoted = words.Select(word => $"`{word}`").ToArray();
        return quoted.Length switch
        {
            0 => "none",
            1 => quoted[0],
            _ => string.Join(", ", quoted[..^1]) + " and " + quoted[^1],
        };
    }

    /// <summary>Edits that turn one word into the other, a swap of neighbours counting as one.</summary>
    /// <remarks>Optimal string alignment; words longer than 64 characters are never near.</remarks>
    static int Distance(string from, string to)
    {
        if (from.Length > 64 || to.Length > 64)
            return int.MaxValue;
        var cost = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
            cost[i, 0] = i;
        for (var j = 0; j <= to.Length; j++)
            cost[0, j] = j;
        for (var i = 1; i <= from.Length; i++)
            for (var j = 1; j <= to.Length; j++)
            {
                var best = Math.Min(cost[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1), Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                    best = Math.Min(best, cost[i - 2, j - 2] + 1);
                cost[i, j] = best;
            }
        return cost[from.Length, to.Length];
    }
}
