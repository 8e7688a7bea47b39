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

    [Fact]
    public void Looking_again_and_again_with_a_test_for_one_look_cries_wolf()
    {
        var random = new Random(13);

        // The usual way: after each label, is the share of the newest hundred significantly (one in a thousand) above what is tolerated?
        var alarmed = Enumerable.Range(0, 200).Count(_ =>
        {
            var newest = new Queue<bool>();
            for (var label = 0; label < 5_000; label++)
            {
                newest.Enqueue(random.NextDouble() < 0.13);
                if (newest.Count > 100)
                    newest.Dequeue();
                if (newest.Count == 100 && newest.Count(each => each) / 100.0 > 0.13 + 3.09 * Math.Sqrt(0.13 * 0.87 / 100))
                    return true;
            }
            return false;
        });
        var detected = Enumerable.Range(0, 200).Count(_ => AlarmAfter(random, 0.13, _ => 0.10, 5_000) is not null);

        Assert.InRange(alarmed, 100, 200);
        Assert.InRange(detected, 0, alarmed / 2);
    }

    [Theory]
    [InlineData(10, 100, 0.13, 0.16)]
    [InlineData(0, 50, 0.03, 0.06)]
    [InlineData(90, 100, 0.93, 0.95)]
    public void What_is_tolerated_leaves_room_for_what_few_labels_cannot_tell(int contradictions, int labels, double low, double high) =>
        Assert.InRange(DisagreementDetector.Tolerated(contradictions, labels), low, high);
}
