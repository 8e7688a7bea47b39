using System.Collections.Concurrent;
using System.Globalization;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Writing;

/// <summary>Passes when the output differs from the recent ones of its node. Score: similarity in [0, 1] to the nearest of them.</summary>
/// <remarks>
/// Similarity: shared word sequences over all of both (Dice). distinct-n: different sequences over all in the window (Li et al. 2016).
/// The window is what this process checked last; it begins empty at a start.
/// </remarks>
sealed class DiversityKind() : ValidatorKind("writer.diversity", 1, "The output is not a copy of the node's recent outputs.",
    new("window", "integer", "Recent outputs of the node to compare with, 2 to 500.", "50"),
    new("min_recent", "integer", "With fewer the check is skipped.", "5"),
    new("max_similarity", "number", "Greatest similarity to one of them, 0 to 1.", "0.8"),
    new("min_distinct", "number", "Smallest share of different word sequences in the window, 0 to 1; 0 for none.", "0.1"),
    new("n", "integer", "Words in a sequence, 1 to 5.", "2"))
{
    public override IReadOnlySet<MetricSubject> Subjects => OutputOnly;
    public override bool CanGuard => false;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var window = read.Integer("window", 2, 500) ?? 50;
        var least = read.Integer("min_recent", 1, 500) ?? Math.Min(5, window);
        if (least > window)
            throw read.Wrong("min_recent", $"is {least}, more than `window` ({window}): the check would never begin.");
        var nearest = read.Number("max_similarity", 0, 1) ?? 0.8;
        var distinct = read.Number("min_distinct", 0, 1) ?? 0.1;
        var n = read.Integer("n", 1, 5) ?? 2;
        var nodes = new ConcurrentDictionary<string, Recent>(StringComparer.Ordinal);

        return new TextValidator(version, context.Subject, (text, examinee) =>
        {
            var grams = Prose.Ngrams(Prose.Of(text), n);
            var recent = nodes.GetOrAdd($"{examinee.Span?.Project.Value}/{examinee.Span?.Content.Node}", _ => new());
            var key = examinee.Span?.Key.ToString();
            var others = recent.Others(key, grams, window);
            if (others.Length < least)
                return Finding.Skipped($"{others.Length} recent outputs of this node seen so far, and {least} are needed");
            if (grams.Count == 0)
                return Finding.Unsure("too short to compare");
            var own = grams.ToHashSet(StringComparer.Ordinal);
            var similarity = Math.Round(others.Max(other => Dice(own, other)), 4);
            var total = grams.Count + others.Sum(other => other.Count);
            var share = (double)others.SelectMany(other => other).Concat(grams).Distinct(StringComparer.Ordinal).Count() / total;
            if (similarity > nearest)
                return Finding.Fail(string.Create(
                    CultureInfo.InvariantCulture, $"{100 * similarity:0} % like one of the last {others.Length} outputs"), similarity);
            return share < distinct
                ? Finding.Fail(string.Create(
                    CultureInfo.InvariantCulture,
                    $"the last {others.Length + 1} outputs are alike: distinct-{n} is {share:0.00}, less than {distinct}"), similarity)
                : Finding.Pass(similarity,
                    string.Create(CultureInfo.InvariantCulture, $"distinct-{n} {share:0.00} over {others.Length + 1} outputs"));
        });
    }

    static double Dice(HashSet<string> one, List<string> other)
    {
        var distinct = other.Distinct(StringComparer.Ordinal).ToArray();
        return one.Count + distinct.Length == 0 ? 0 : 2.0 * distinct.Count(one.Contains) / (one.Count + distinct.Length);
    }

    /// <summary>The last outputs of a node; a span that is checked again does not meet itself.</summary>
    sealed class Recent
    {
        readonly Lock _one = new();
        readonly LinkedList<(string? Key, List<string> Grams)> _last = new();

        public List<string>[] Others(string? key, List<string> grams, int window)
        {
            lock (_one)
            {
                var others = _last.Where(each => key is null || each.Key != key).Select(each => each.Grams).ToArray();
                if (others.Length == _last.Count)
                {
                    _last.AddLast((key, grams));
                    if (_last.Count > window)
                        _last.RemoveFirst();
                }
                return others;
            }
        }
    }
}
