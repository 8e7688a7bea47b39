namespace Flywheel.Core.Review;

/// <summary>An item that a person might be asked about.</summary>
/// <param name="Vector">Document vector of its input.</param>
/// <param name="Query">Query vector of its input, where the embedder tells queries from documents; null uses the other.</param>
public sealed record ReviewCandidate(Guid Id, float[] Vector, float[]? Query = null);

/// <summary>Why an item was chosen for review.</summary>
public enum Informativeness
{
    /// <summary>Nothing approved so far looks like it.</summary>
    Novel,

    /// <summary>The approved examples near it give different answers.</summary>
    Disagreement,

    /// <summary>It stands for much traffic that has no example as near as this.</summary>
    Representative,
}

/// <summary>An item chosen for review, with what speaks for it.</summary>
/// <param name="Score">
/// How much of the traffic it brings nearer to an example, in [0, 1]; each pick's score counts what the picks before
/// it left to gain, so scores fall.
/// </param>
/// <param name="Similarity">Cosine to the nearest approved demonstration, in [0, 1]; 0 when there is none.</param>
/// <param name="Certainty">Share of the approved demonstrations' vote for the leading answer, in [0, 1]; 0 when there is none.</param>
/// <param name="Represents">Share of the traffic that this item is nearer to than any example or earlier pick, in [0, 1].</param>
public sealed record InformativeItem(Guid Id, double Score, Informativeness Reason, double Similarity, double Certainty, double Represents)
{
    /// <summary>The reason in words, for the person who reviews.</summary>
    public string Why => Reason switch
    {
        Informativeness.Novel => FormattableString.Invariant(
            $"unlike anything approved so far (nearest example {Similarity:0.00}); closest to {Represents:0.0%} of the traffic"),
        Informativeness.Disagreement => FormattableString.Invariant(
            $"the examples disagree (leading answer has {Certainty:0%} of the vote); closest to {Represents:0.0%} of the traffic"),
        _ => FormattableString.Invariant($"stands for {Represents:0.0%} of the traffic, which has no example as near"),
    };
}
