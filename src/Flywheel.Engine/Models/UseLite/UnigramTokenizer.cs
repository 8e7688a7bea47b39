using Flywheel.Core;

namespace Flywheel.Engine.Models.UseLite;

/// <summary>Cuts a text into the vocabulary pieces with the highest summed log-probability.</summary>
/// <remarks>
/// Kudo, ACL 2018 (unigram language model), by Viterbi search. It follows the JavaScript original of the model to the
/// letter, because the weights were used with it: unknown characters cost nothing, a start that no piece reaches
/// scores 0, ties go to the later start, and runs of unknown pieces become one.
/// </remarks>
internal sealed class UnigramTokenizer
{
    public const int Unknown = 0;
    private const char WordStart = '\u2581';
    private const int Reserved = 6;

    private readonly double[] _scores;
    private readonly int[] _lengths;
    private readonly Dictionary<(int Node, int Symbol), int> _next = [];
    private readonly List<int> _pieceAt = [NoPiece];
    private const int NoPiece = -1;

    /// <param name="vocabulary">Pieces by id, with their log-probability; the first six are reserved, 0 is unknown.</param>
    public UnigramTokenizer(IReadOnlyList<(string Text, double Score)> vocabulary)
    {
        _scores = [.. vocabulary.Select(piece => piece.Score)];
        _lengths = [.. vocabulary.Select(piece => piece.Text.Length)];
        for (var id = Reserved; id < vocabulary.Count; id++)
            Add(vocabulary[id].Text, id);
    }

    /// <summary>Piece ids in reading order; none for an empty text.</summary>
    public int[] Encode(string text)
    {
        var normal = UnicodeForms.Compatible(text);
        if (normal.Length == 0)
            return [];

        var symbols = Symbols(normal);
        var best = new double[symbols.Length + 1];
        var piece = new int[symbols.Length + 1];
        for (var start = 0; start < symbols.Length; start++)
            Extend(symbols, start, best, piece);

        return Backtrack(piece);
    }

    // Positions before `start` are final here: every piece that ends there began earlier.
    private void Extend(int[] symbols, int start, double[] best, int[] piece)
    {
        var found = false;
        var node = 0;
        for (var end = start; end < symbols.Length && _next.TryGetValue((node, symbols[end]), out node); end++)
        {
            if (_pieceAt[node] is not NoPiece and var id)
            {
                found = true;
                Offer(end + 1, _scores[id], id);
            }
        }

        if (!found)
            Offer(start + 1, 0, Unknown);

        void Offer(int end, double score, int id)
        {
            score += best[start];
            if (best[end] != 0 && score < best[end])
                return;
            best[end] = score;
            piece[end] = id;
        }
    }

    private int[] Backtrack(int[] piece)
    {
        var ids = new List<int>(piece.Length);
        for (var at = piece.Length - 1; at > 0; at -= _lengths[piece[at]])
            if (piece[at] != Unknown || ids.Count == 0 || ids[^1] != Unknown)
                ids.Add(piece[at]);
        ids.Reverse();
        return [.. ids];
    }

    private static int[] Symbols(string text)
    {
        var symbols = new List<int>(text.Length + 1) { WordStart };
        foreach (var rune in text.EnumerateRunes())
            symbols.Add(rune.Value == ' ' ? WordStart : rune.Value);
        return [.. symbols];
    }

    private void Add(string text, int id)
    {
        var node = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (!_next.TryGetValue((node, rune.Value), out var child))
            {
                child = _pieceAt.Count;
                _pieceAt.Add(NoPiece);
                _next.Add((node, rune.Value), child);
            }

            node = child;
        }

        _pieceAt[node] = id;
    }
}
