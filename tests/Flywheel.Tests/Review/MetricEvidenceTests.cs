using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Review;

namespace Flywheel.Tests.Review;

public sealed class MetricEvidenceTests
{
    [Fact]
    public void Newcombes_interval_matches_the_published_example()
    {
        var (low, high) = Proportion.Difference(56, 70, 48, 80);   // Newcombe 1998, method 10, example (a)

        Assert.Equal((0.0524, 0.3339), (Math.Round(low, 4), Math.Round(high, 4)));
        Assert.Equal((-1, 1), Proportion.Difference(0, 0, 1, 2));
    }

    [Fact]
    public void The_same_data_have_not_changed()
    {
        var evidence = MetricEvidence.Of(Texts(200, 0.9, "where is my parcel"), Texts(200, 0.9, "where is my parcel"), new Random(1));

        Assert.Empty(evidence.Changes);
        Assert.NotNull(evidence.TextsDifferP);
    }

    [Fact]
    public void A_lower_pass_rate_is_told_with_both_intervals()
    {
        var evidence = MetricEvidence.Of(Texts(200, 0.9, "where is my parcel"), Texts(200, 0.6, "where is my parcel"), new Random(1));

        Assert.StartsWith("the pass rate went from 90 % (85-93) to 60 % (", Assert.Single(evidence.Changes), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_wording_new_nodes_undecided_ones_and_contradictions_are_told()
    {
        CheckedText[] now = [.. Texts(60, 0.9, "compose a sonnet about volcanoes", "poet"),
            .. Texts(30, 1, "compose a sonnet", "poet").Select(text => text with { Outcome = Outcome.Error })];
        now[0] = now[0] with { Human = now[0].Outcome != Outcome.Pass };
        now[1] = now[1] with { Human = now[1].Outcome == Outcome.Pass };

        var evidence = MetricEvidence.Of(Texts(60, 0.9, "where is my parcel"), now, new Random(1));

        Assert.Equal((2, now[0].Key), (evidence.Labelled, Assert.Single(evidence.Contradicted)));
        Assert.Equal(
            ["undecided went from 0 of 60 to 30 of 90", "new nodes: poet", "the texts read differently (p = 0.005)",
                "people said otherwise of 1 of the 2 that they labelled"],
            evidence.Changes);
    }

    [Fact]
    public void Nothing_since_says_so_and_few_texts_are_not_compared()
    {
        Assert.Equal(["nothing was checked since"], MetricEvidence.Of(Texts(30, 1, "a"), [], new Random(1)).Changes);
        Assert.Null(MetricEvidence.Of(Texts(5, 1, "a"), Texts(5, 1, "b"), new Random(1)).TextsDifferP);
        Assert.Equal(["nothing was checked since"], MetricEvidence.Of([], [], new Random(1)).Changes);
    }

    static CheckedText[] Texts(int count, double passing, string text, string node = "answer") =>
        [.. Enumerable.Range(0, count).Select(i => new CheckedText(
        new(i + 1), new("t", i.ToString(CultureInfo.InvariantCulture)), node, $"{text} {i % 7}",
        i < count * passing ? Outcome.Pass : Outcome.Fail, null))];
}
