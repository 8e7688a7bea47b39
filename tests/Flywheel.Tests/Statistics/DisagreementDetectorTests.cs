using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Statistics;

public class DisagreementDetectorTests
{
    /// <returns>Labels until the alarm; null when there was none.</returns>
    static int? AlarmAfter(Random random, double tolerated, Func<int, double> share, int labels)
    {
        var detector = new DisagreementDetector(tolerated);
        for (var label = 1; label <= labels; label++)
            if (detector.Add(random.NextDouble() < share(label)))
                return label;
        return null;
    }

    [Fact]
    public void Without_a_change_alarms_are_as_rare_as_promised()
    {
        var random = new Random(11);

        // At the very edge of what is tolerated, which is the worst case; runs that end without an alarm count with their length only.
        var runs = Enumerable.Range(0, 400).Select(_ => AlarmAfter(random, 0.13, _ => 0.13, 5_000)).ToArray();

        var labelsPerAlarm = runs.Sum(run => run ?? 5_000) / (double)Math.Max(1, runs.Count(run => run is not null));
        Assert.InRange(labelsPerAlarm, 1_000, double.PositiveInfinity);
    }

    [Theory]
    [InlineData(0.20, 200)]
    [InlineData(0.30, 70)]
    [InlineData(0.50, 35)]
    public void A_change_is_noticed_soon_after_it_came(double share, int within)
    {
        var random = new Random(12);

        var delays = Enumerable.Range(0, 200).Select(_ => AlarmAfter(random, 0.13, label => label <= 300 ? 0.10 : share, 5_000) ?? 5_000)
            .Where(label => label > 300).Select(label => label - 300).Order().ToArray();

        Assert.InRange(delays.Length, 170, 200);
        Assert.InRange(delays[delays.Length / 2], 1, within);
    }

    [Theory]
    [InlineData(10, 100, 0.13, 0.16)]
    [InlineData(0, 50, 0.03, 0.06)]
    [InlineData(90, 100, 0.93, 0.95)]
    public void What_is_tolerated_leaves_room_for_what_few_labels_cannot_tell(int contradictions, int labels, double low, double high) =>
        Assert.InRange(DisagreementDetector.Tolerated(contradictions, labels), low, high);
}
