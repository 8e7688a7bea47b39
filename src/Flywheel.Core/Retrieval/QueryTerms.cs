using System.Numerics;

namespace Flywheel.Core.Retrieval;

/// <summary>The words of a query with their weights, and which of them a row has.</summary>
/// <remarks>
/// Lexical Set-BSR (Gupta et al., arXiv 2305.14907) on whole words: a set covers a word when one of its rows has it.
/// </remarks>
internal sealed class QueryTerms
{
    /// <summary>Distinct words kept of a row.</summary>
    public const int PerRow = 512;

    private const int Most = 64;

    private readonly ushort[] _terms;
    private readonly float[] _shares;

    /// <summary>Keeps the 64 rarest words; weights add up to 1.</summary>
    public QueryTerms(string text, Lexicon lexicon)
    {
        var words = new List<(ushort Term, float Weight)>();
        foreach (var feature in TextFeatures.Of(text))
        {
            if (TextFeatures.Kind(feature) == FeatureKind.Word)
                words.Add(((ushort)TextFeatures.Bucket(feature), lexicon.Rarity(feature)));
        }

        if (words.Count > Most)
            words = [.. words.OrderByDescending(w => w.Weight).ThenBy(w => w.Term).Take(Most)];
        var total = words.Sum(w => w.Weight);
        _terms = [.. words.Select(w => w.Term)];
        _shares = [.. words.Select(w => w.Weight / total)];
    }

    /// <summary>One bit a query word that the row has.</summary>
    public ulong In(ReadOnlySpan<ushort> rowTerms)
    {
        var mask = 0UL;
        for (var i = 0; i < _terms.Length; i++)
        {
            if (rowTerms.Contains(_terms[i]))
                mask |= 1UL << i;
        }

        return mask;
    }

    /// <summary>Share of the query's weight that the words in a mask make up, in [0, 1].</summary>
    public double Share(ulong mask)
    {
        var share = 0.0;
        for (; mask != 0; mask &= mask - 1)
            share += _shares[BitOperations.TrailingZeroCount(mask)];
        return share;
    }
}
