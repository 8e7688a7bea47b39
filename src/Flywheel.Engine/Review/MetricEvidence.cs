using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Statistics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Review;

/// <param name="Value">In [0, 1]; null of nothing.</param>
/// <param name="N">Passes and fails.</param>
public sealed record EvidenceRate(double? Value, double Low, double High, int N);

/// <summary>What a metric said of a sample of texts.</summary>
/// <param name="Texts">How many it was asked about, those it could not decide included.</param>
/// <param name="PassRate">Of those it decided, with the 95 % Wilson interval.</param>
/// <param name="Undecided">Unsure or error.</param>
/// <param name="MedianCharacters">Null of nothing.</param>
/// <param name="Nodes">Texts of each node.</param>
public sealed record EvidenceSample(
    int Texts, EvidenceRate PassRate, int Undecided, int? MedianCharacters, IReadOnlyDictionary<string, int> Nodes)
{
    public static EvidenceSample Of(IReadOnlyList<CheckedText> texts)
    {
        var decided = texts.Where(text => text.Outcome is Outcome.Pass or Outcome.Fail).ToArray();
        var passed = decided.Count(text => text.Outcome == Outcome.Pass);
        var (low, high) = Proportion.Wilson(passed, decided.Length);
        var lengths = texts.Select(text => text.Text?.Length).OfType<int>().Order().ToArray();
        return new(
            texts.Count, new(decided.Length == 0 ? null : (double)passed / decided.Length, low, high, decided.Length),
            texts.Count - decided.Length,
            lengths.Length == 0 ? null : lengths[lengths.Length / 2],
            texts.GroupBy(text => text.Node, StringComparer.Ordinal).OrderByDescending(group => group.Count())
                .ThenBy(group => group.Key, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal));
    }
}

/// <summary>What has changed about a metric's data since people last looked at it.</summary>
/// <param name="Then">The newest texts of that time; before a first review the metric's oldest ones.</param>
/// <param name="Now">The newest texts since.</param>
/// <param name="Labelled">Texts since that people labelled blind and the metric decided.</param>
/// <param name="Contradicted">Those of them where people say otherwise, newest first, at most ten.</param>
/// <param name="TextsDifferP">p-value of the energy test between the wording of then and now; null with fewer than 20 texts of
/// either.</param>
/// <param name="Changes">In words; empty when nothing is seen to have changed.</param>
public sealed record MetricEvidence(
    EvidenceSample Then, EvidenceSample Now, int Labelled, IReadOnlyList<SpanKey> Contradicted, double? TextsDifferP,
    IReadOnlyList<string> Changes)
{
    /// <summary>Texts of each sample.</summary>
    public const int SampleSize = 300;

    const int FewestTexts = 20;
    const int MostCharacters = 4_000;
    const double Surely = 2.576;

    static readonly LexicalEmbedder Embedder = new();

    /// <summary>Compares two samples. Rates are told apart by 99 % intervals, wordings at p of at most 0.01: where nothing changed,
    /// each comparison is meant to be wrong once in a hundred times.</summary>
    /// <param name="then">At most <see cref="SampleSize"/>.</param>
    /// <param name="now">At most <see cref="SampleSize"/>, newest first.</param>
    public static MetricEvidence Of(IReadOnlyList<CheckedText> then, IReadOnlyList<CheckedText> now, Random random)
    {
        var (before, after) = (EvidenceSample.Of(then), EvidenceSample.Of(now));
        var changes = new List<string>();
        if (now.Count == 0)
            changes.Add("nothing was checked since");
        if (Differ(Passes(before), before.PassRate.N, Passes(after), after.PassRate.N))
            changes.Add($"the pass rate went from {Share(before.PassRate)} to {Share(after.PassRate)}");
        if (Differ(before.Undecided, before.Texts, after.Undecided, after.Texts))
            changes.Add($"undecided went from {before.Undecided} of {before.Texts} to {after.Undecided} of {after.Texts}");
        var added = before.Texts == 0 ? [] : after.Nodes.Keys.Except(before.Nodes.Keys, StringComparer.Ordinal).ToArray();
        if (added.Length > 0)
            changes.Add($"new nodes: {string.Join(", ", added.Take(5))}{(added.Length > 5 ? $" and {added.Length - 5} more" : "")}");
        var p = TextsDiffer(then, now, random);
        if (p <= 0.01)
            changes.Add(string.Create(CultureInfo.InvariantCulture, $"the texts read differently (p = {p:0.###})"));
        var labelled = now.Where(text => text.Human is not null && text.Outcome is Outcome.Pass or Outcome.Fail).ToArray();
        var contradicted = labelled.Where(text => text.Human != (text.Outcome == Outcome.Pass)).Select(text => text.Key).ToArray();
        if (contradicted.Length > 0)
            changes.Add($"people said otherwise of {contradicted.Length} of the {labelled.Length} that they labelled");
        return new(before, after, labelled.Length, [.. contradicted.Take(10)], p, changes);
    }

    static int Passes(EvidenceSample sample) => (int)Math.Round((sample.PassRate.Value ?? 0) * sample.PassRate.N);

    static bool Differ(int first, int of, int second, int ofSecond) =>
        of > 0 && ofSecond > 0 && Proportion.Difference(first, of, second, ofSecond, Surely) is { Low: > 0 } or { High: < 0 };

    static double? TextsDiffer(IReadOnlyList<CheckedText> then, IReadOnlyList<CheckedText> now, Random random)
    {
        var (first, second) = (Vectors(then), Vectors(now));
        return first.Length < FewestTexts || second.Length < FewestTexts ? null : EnergyTest.Compare(first, second, random).PValue;
    }

    static float[][] Vectors(IReadOnlyList<CheckedText> texts) =>
        [.. texts.Select(text => text.Text).OfType<string>().Where(text => text.Length > 0)
            .Select(text => Embedder.EmbedDocument(text.Length <= MostCharacters ? text : text[..MostCharacters]))];

    static string Share(EvidenceRate rate) => rate.Value is { } value
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.#} % ({100 * rate.Low:0}-{100 * rate.High:0})") : "none";
}
