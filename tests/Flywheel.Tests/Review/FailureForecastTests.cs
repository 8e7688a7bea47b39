using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;

namespace Flywheel.Tests.Review;

public sealed class FailureForecastTests
{
    static readonly LexicalEmbedder Embedder = new();

    static ForecastItem Item(string input, string output, bool? verdict = null, double? confidence = null) => ForecastItem.Of(
        input, Embedder.EmbedDocument(input), output, Embedder.EmbedDocument(output), verdict, confidence);

    [Fact]
    public void What_resembles_failures_comes_first()
    {
        string[] bad = ["Your refund was denied.", "The refund was denied again.", "We denied the refund."];
        string[] good = ["The parcel arrives tomorrow.", "Your parcel was sent.", "The parcel is on its way."];
        var order = FixingOrder.Of(
            [.. bad.Concat(good).Select(output => Item("What about my order?", output))],
            [.. bad.Select(_ => true), .. good.Select(_ => false)],
            [Item("What about my order?", "A parcel was sent today."), Item("What about my order?", "They denied my refund.")])!;

        Assert.Equal([1, 0], order.Select(it => it.Index));
        Assert.True(order[0].Chance > order[1].Chance + 0.2);
    }

    [Fact]
    public void A_judge_who_is_right_is_believed_and_one_who_is_wrong_is_turned_round()
    {
        double Forecast(bool right)
        {
            var items = Enumerable.Range(0, 80)
                .Select(i => Item($"question {i}", $"answer {i * 7 % 13}", verdict: i % 2 == 0, confidence: 0.9)).ToArray();
            var fit = FailureForecast.Fit(items, [.. Enumerable.Range(0, 80).Select(i => i % 2 == (right ? 1 : 0))]);
            return fit.Of(Item("question 999", "answer 4", verdict: false, confidence: 0.9));
        }

        Assert.True(Forecast(right: true) > 0.8);
        Assert.True(Forecast(right: false) < 0.2);
    }

    [Fact]
    public void Where_nothing_tells_the_forecast_is_the_share_of_failures()
    {
        var random = new Random(1);
        var fit = FailureForecast.Fit(
            [.. Enumerable.Range(0, 500).Select(_ => Item("the same question", "the same answer"))],
            [.. Enumerable.Range(0, 500).Select(_ => random.NextDouble() < 0.2)]);

        Assert.InRange(fit.Of(Item("the same question", "the same answer")), 0.15, 0.25);
    }

    [Fact]
    public void Too_few_labels_make_no_order()
    {
        var one = Item("a", "b");

        Assert.Null(FixingOrder.Of([one, one, one], [false, false, true], [one]));
        Assert.NotNull(FixingOrder.Of([one, one, one, one], [false, false, true, true], [one]));
    }
}
