namespace Flywheel.Core.Retrieval;

/// <summary>Which demonstrations a node's prompt is given.</summary>
public enum RetrievalStrategy
{
    /// <summary>The most similar, corrected or confirmed alike.</summary>
    Similar,

    /// <summary>The most similar among those that a person's correction changed.</summary>
    SimilarFixed,

    /// <summary>The most similar, with at least one corrected and one confirmed where the pool has them.</summary>
    Both,

    /// <summary>The latest approved, whatever the query.</summary>
    Recent,
}

/// <summary>The names strategies go by in settings, API and CLI.</summary>
public static class RetrievalStrategies
{
    public static string WireName(this RetrievalStrategy strategy) => strategy switch
    {
        RetrievalStrategy.Similar => "similar",
        RetrievalStrategy.SimilarFixed => "similar-fixed",
        RetrievalStrategy.Both => "both",
        RetrievalStrategy.Recent => "recent",
        _ => throw new ArgumentOutOfRangeException(nameof(strategy), strategy, null),
    };

    /// <summary>The strategy of a wire name; null when there is none of that name. Case matters.</summary>
    public static RetrievalStrategy? Parse(string? name) => name switch
    {
        "similar" => RetrievalStrategy.Similar,
        "similar-fixed" => RetrievalStrategy.SimilarFixed,
        "both" => RetrievalStrategy.Both,
        "recent" => RetrievalStrategy.Recent,
        _ => null,
    };
}
