namespace Flywheel.Core.Retrieval;

/// <summary>The input at hand, for which demonstrations are wanted.</summary>
/// <param name="Text">Its words are what the chosen demonstrations should cover between them.</param>
/// <param name="Vector">Query vector of <see cref="Text"/>, embedded with the index's <see cref="DemonstrationIndex.Lexicon"/>; of length
/// 1, or 0.</param>
/// <param name="Now">Recency is counted up to here, and rows approved later are not eligible.</param>
public readonly record struct RetrievalQuery(string Text, float[] Vector, DateTimeOffset Now);

/// <summary>The demonstrations chosen for a query, in the order a prompt should show them: the most similar last.</summary>
/// <param name="Eligible">
/// Rows that strategy, time and similarity allowed; what the choice was made from. From some thousands of rows on, similarity
/// counts here as it is estimated.
/// </param>
/// <param name="Version">State of the index that answered; grows with every change.</param>
public sealed record RetrievalResult(IReadOnlyList<RetrievedDemonstration> Chosen, int Eligible, long Version);

/// <summary>A chosen demonstration and why it was chosen.</summary>
public sealed record RetrievedDemonstration(
    Guid Id, string Text, string Answer, bool IsFixed, DateTimeOffset ApprovedAt, RetrievalParts Parts);

/// <summary>The parts of a demonstration's score.</summary>
/// <param name="Similarity">Cosine to the query in [-1, 1], to within 0.001.</param>
/// <param name="Recency">2^(-age / half-life) in (0, 1]; 1 without a half-life.</param>
/// <param name="Disagreement">Factor 1 + weight * disagreement, 1 or more.</param>
/// <param name="Support">Factor 1 + weight * share of the neighbourhood's vote that has the same answer, 1 or more.</param>
/// <param name="Relevance">
/// max(0, similarity)^exponent * recency * disagreement * support. Under the strategy
/// <see cref="RetrievalStrategy.Recent"/>, and for a query that is similar to nothing because it is empty, recency
/// alone.
/// </param>
/// <param name="Coverage">Share in [0, 1] of the query's word weight that this one added to what others cover.</param>
/// <param name="Redundancy">Largest cosine to a demonstration chosen before it, in [0, 1]; 0 for the first.</param>
/// <param name="Score">
/// relevance / best relevance + coverage weight * coverage - diversity weight * redundancy: what decided the choice.
/// </param>
public readonly record struct RetrievalParts(
    double Similarity, double Recency, double Disagreement, double Support, double Relevance, double Coverage,
    double Redundancy, double Score);
