namespace Flywheel.Core.Retrieval;

/// <summary>A row in question for a prompt, exactly scored.</summary>
internal sealed class Candidate(DemonstrationSegment segment, int row, double similarity, double recency, double disagreement)
{
    public DemonstrationSegment Segment { get; } = segment;

    public int Row { get; } = row;

    public double Similarity { get; } = similarity;

    public double Recency { get; } = recency;

    /// <summary>The factor, 1 or more.</summary>
    public double Disagreement { get; } = disagreement;

    /// <summary>The factor, 1 or more; known once the neighbourhood is.</summary>
    public double Support { get; set; } = 1;

    public double Relevance { get; set; }

    /// <summary>Query words the row has.</summary>
    public ulong Terms { get; set; }

    /// <summary>Largest cosine to the rows chosen so far that it was compared with.</summary>
    public double Redundancy { get; set; }

    /// <summary>How many of the chosen rows <see cref="Redundancy"/> takes in.</summary>
    public int ComparedWith { get; set; }

    public Guid Id => Segment.Ids[Row];

    public string Answer => Segment.Answers[Row];

    public string? EndUser => Segment.EndUsers[Row];

    public bool IsFixed => Segment.IsFixed[Row];

    public long ApprovedTicks => Segment.ApprovedTicks[Row];
}

/// <summary>Which rows a batch may hold.</summary>
/// <param name="Answer">Only this answer; null for any.</param>
/// <param name="Fixed">Only corrected or only confirmed ones; null for both.</param>
/// <param name="WithoutAnswers">Null for none.</param>
/// <param name="WithoutEndUsers">Null for none.</param>
internal sealed record RowFilter(
    string? Answer = null, bool? Fixed = null, IReadOnlySet<string>? WithoutAnswers = null, IReadOnlySet<string>? WithoutEndUsers = null)
{
    public static RowFilter None { get; } = new();

    public bool IsNone =>
        Answer is null && Fixed is null && WithoutAnswers is not { Count: > 0 } && WithoutEndUsers is not { Count: > 0 };

    public bool Allows(DemonstrationSegment segment, int row) =>
        (Answer is null || segment.Answers[row] == Answer)
        && (Fixed is null || segment.IsFixed[row] == Fixed)
        && WithoutAnswers?.Contains(segment.Answers[row]) is not true
        && (segment.EndUsers[row] is not { } user || WithoutEndUsers?.Contains(user) is not true);
}
