using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Evaluation;

public class ClassificationTests
{
    static readonly ConfusionCell[] Cells =
    [
        new("cat", "cat", 4), new("cat", "dog", 1), new("cat", "bird", 1), new("dog", "cat", 6), new("dog", "dog", 2),
        new("dog", "bird", 2),
        new("bird", "cat", 3), new("bird", "bird", 6),
    ];

    /// <summary>The worked example that textbooks on multi-class F1 share: 25 animals, macro F1 46.5 %.</summary>
    [Fact]
    public void Precision_recall_and_f1_are_those_of_the_worked_example()
    {
        var scores = Classification.Of(Cells);

        Assert.Equal(25, scores.Cases);
        Assert.Equal(12 / 25.0, scores.Accuracy.Value);
        var (bird, cat, dog) = (scores.Classes[0], scores.Classes[1], scores.Classes[2]);
        Assert.Equal(["bird", "cat", "dog"], scores.Classes.Select(one => one.Class));
        Assert.Equal((4 / 13.0, 4 / 6.0), (cat.Precision.Value, cat.Recall.Value));
        Assert.Equal((2 / 3.0, 0.2), (dog.Precision.Value, dog.Recall.Value));
        Assert.Equal((6 / 9.0, 6 / 9.0), (bird.Precision.Value, bird.Recall.Value));
        Assert.Equal(0.421, cat.F1.Value!.Value, 3);
        Assert.Equal(0.308, dog.F1.Value!.Value, 3);
        Assert.Equal(0.465, scores.MacroF1.Value!.Value, 3);
        Assert.All(scores.Classes, one => Assert.InRange(one.F1.Value!.Value, one.F1.Low, one.F1.High));
        Assert.InRange(scores.MacroF1.Value!.Value, scores.MacroF1.Low, scores.MacroF1.High);
    }

    [Fact]
    public void The_same_cells_give_the_same_intervals_and_other_seeds_nearly_the_same()
    {
        var (one, again, other) = (Classification.Of(Cells, 7), Classification.Of(Cells.Reverse(), 7), Classification.Of(Cells, 8));

        Assert.Equal(one.MacroF1, again.MacroF1);
        Assert.NotEqual(one.MacroF1, other.MacroF1);
        Assert.Equal(one.MacroF1.Low, other.MacroF1.Low, 0.05);
    }

    /// <summary>Truth known: the intervals of many samples must cover it about as often as they say.</summary>
    [Fact]
    public void The_bootstrap_interval_covers_the_true_macro_f1()
    {
        var random = new Random(3);
        var truth = Classification.Of([new("a", "a", 70), new("a", "b", 10), new("b", "a", 5), new("b", "b", 15)]).MacroF1.Value!.Value;
        var covered = 0;
        const int Trials = 200;
        for (var t = 0; t < Trials; t++)
        {
            var counts = new long[4];
            for (var i = 0; i < 400; i++)
                counts[random.NextDouble() switch { < 0.70 => 0, < 0.80 => 1, < 0.85 => 2, _ => 3 }]++;
            var macro = Classification.Of(
                [new("a", "a", counts[0]), new("a", "b", counts[1]), new("b", "a", counts[2]), new("b", "b", counts[3])], t).MacroF1;
            covered += macro.Low <= truth && truth <= macro.High ? 1 : 0;
        }

        Assert.InRange(covered / (double)Trials, 0.90, 0.99);
    }

    [Fact]
    public void Nothing_to_compare_gives_no_numbers_instead_of_zeros()
    {
        var scores = Classification.Of([]);

        Assert.Null(scores.Accuracy.Value);
        Assert.Null(scores.MacroF1.Value);
        Assert.Equal((0, 1), (scores.MacroF1.Low, scores.MacroF1.High));
    }

    [Fact]
    public void A_class_that_is_never_given_counts_with_zero()
    {
        var scores = Classification.Of([new("a", "a", 3), new("b", "a", 1)]);

        Assert.Null(scores.Classes[1].Precision.Value);
        Assert.Equal(0, scores.Classes[1].F1.Value);
        Assert.Equal(6 / 7.0 / 2, scores.MacroF1.Value!.Value, 6);
    }
}
