namespace Flywheel.Core.Retrieval;

/// <summary>How demonstrations are ranked and chosen for a node's or judge's prompt.</summary>
/// <remarks>
/// ALGORITHMS.md part D. A value outside its range throws where it is set. The defaults were chosen by
/// cross-validation on training rows (docs of the retrieval bench say which, and what they gained).
/// </remarks>
public sealed record RetrievalPolicy
{
    /// <summary>For a task prompt: the most similar, newer and more surprising first.</summary>
    public static RetrievalPolicy Default { get; } = new();

    /// <summary>For a judge's prompt: six, at least two of each label where the pool has them.</summary>
    public static RetrievalPolicy ForJudge { get; } = new() { Count = 6, MinimumPerLabel = 2, MaximumPerLabel = 4 };

    public RetrievalStrategy Strategy { get; init; } = RetrievalStrategy.Similar;

    /// <summary>Demonstrations wanted, 0 to 100; 0 retrieves none.</summary>
    public int Count { get; init => field = Within(value, 0, 100); } = 8;

    /// <summary>Age since approval at which a demonstration counts half; null when age does not matter.</summary>
    public TimeSpan? HalfLife
    {
        get;
        init => field = value is { } life && life <= TimeSpan.Zero
            ? throw new ArgumentOutOfRangeException(nameof(HalfLife), value, "A half-life is longer than zero.")
            : value;
    } = TimeSpan.FromDays(30);

    /// <summary>Exponent of similarity, 0.5 to 16: how fast relevance falls with it against recency and disagreement.</summary>
    public double SimilarityExponent { get; init => field = Within(value, 0.5, 16); } = 4;

    /// <summary>Weight of disagreement, 0 to 4: a row the model had wholly wrong counts 1 + weight times.</summary>
    public double DisagreementWeight { get; init => field = Within(value, 0, 4); } = 0.5;

    /// <summary>What a duplicate of a chosen row loses, 0 to 2, in shares of the best relevance.</summary>
    public double DiversityWeight { get; init => field = Within(value, 0, 2); } = 0.1;

    /// <summary>What covering all of the query's words gains, 0 to 2, in shares of the best relevance.</summary>
    public double CoverageWeight { get; init => field = Within(value, 0, 2); } = 0.05;

    /// <summary>
    /// Weight of support, 0 to 10: a row whose answer the whole neighbourhood shares counts 1 + weight times. It lets
    /// five examples speak for fifty, and a lone mislabelled one go unseen; where answers are all different it does
    /// next to nothing.
    /// </summary>
    public double SupportWeight { get; init => field = Within(value, 0, 10); } = 3;

    /// <summary>Rows less similar than this are not eligible, -1 to 1; ignored by <see cref="RetrievalStrategy.Recent"/>.</summary>
    public double MinimumSimilarity { get; init => field = Within(value, -1, 1); }

    /// <summary>
    /// Rows of each answer wanted at least, 0 to 50, while answers * minimum fits in <see cref="Count"/>; fewer where
    /// the pool has fewer. 0 for no quota.
    /// </summary>
    public int MinimumPerLabel { get; init => field = Within(value, 0, 50); }

    /// <summary>Rows of one answer at most, 1 to 100; null for no limit. Fewer demonstrations may come back than asked for.</summary>
    public int? MaximumPerLabel { get; init => field = value is { } limit ? Within(limit, 1, 100) : null; }

    /// <summary>Demonstrations from one end user in a prompt, 1 to 100; null for no limit.</summary>
    public int? MaximumPerEndUser { get; init => field = value is { } limit ? Within(limit, 1, 100) : null; } = 1;

    private static int Within(int value, int low, int high, [System.Runtime.CompilerServices.CallerMemberName] string? name = null) =>
        value >= low && value <= high
            ? value
            : throw new ArgumentOutOfRangeException(name, value, FormattableString.Invariant($"Between {low} and {high}."));

    private static double Within(
        double value, double low, double high, [System.Runtime.CompilerServices.CallerMemberName] string? name = null) =>
        value >= low && value <= high
            ? value
            : throw new ArgumentOutOfRangeException(name, value, FormattableString.Invariant($"Between {low} and {high}."));
}
