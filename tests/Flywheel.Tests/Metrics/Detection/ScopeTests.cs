using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;
using Flywheel.Validators.Detection;
using Flywheel.Tests.Models;

namespace Flywheel.Tests.Metrics.Detection;

public sealed class ScopeTests
{
    static readonly object[] Small =
    [
        new { topic = "billing", text = "why was I charged twice this month" },
        new { topic = "billing", text = "send me a copy of my invoice" },
        new { topic = "delivery", text = "where is my parcel" }, new { topic = "delivery", text = "my package has not arrived yet" },
    ];

    [Fact]
    public async Task The_nearest_topic_is_told()
    {
        var validator = Detectors.Make("input.topic", new { topics = Small });

        var near = await validator.AskAsync("where is my package");
        var far = await validator.AskAsync("who won the football world cup in 1974");

        Assert.Equal((Outcome.Pass, Outcome.Fail), (near.Outcome, far.Outcome));
        Assert.Contains("nearest topic delivery", near.Reason, StringComparison.Ordinal);
        Assert.True(near.Score > far.Score);
    }

    [Fact]
    public async Task A_keyword_passes_by_itself()
    {
        var validator = Detectors.Make("input.topic", new { keywords = new { billing = new[] { "invoice" } } });

        Assert.Equal((Outcome.Pass, "billing: holds `invoice`"), await Told("Is my INVOICE ready?"));
        Assert.Equal(Outcome.Fail, (await Told("invoices of others")).Outcome);

        async Task<(Outcome Outcome, string?)> Told(string text)
        {
            var finding = await validator.AskAsync(text);
            return (finding.Outcome, finding.Reason);
        }
    }

    [Fact]
    public void What_cannot_work_is_refused_with_the_remedy()
    {
        Assert.Contains("at least two example inputs",
            Detectors.Refused("input.topic", new { topics = new[] { new { topic = "billing", text = "refund" } } }),
            StringComparison.Ordinal);
        Assert.Contains("keywords", Detectors.Refused("input.topic", new { }), StringComparison.Ordinal);
        Assert.Contains("empty", Detectors.Refused("input.topic", new { keywords = new { billing = Array.Empty<string>() } }),
            StringComparison.Ordinal);
        Assert.Contains("holds an empty word", Detectors.Refused("input.topic", new { keywords = new { billing = new[] { " " } } }),
            StringComparison.Ordinal);
        Assert.Contains("without a topic", Detectors.Refused("input.topic", new { topics = new[] { "a", "b" } }), StringComparison.Ordinal);
        Assert.Contains("need at least 40", Detectors.Refused("input.anomaly", new { reference = new[] { "only", "three", "rows" } }),
            StringComparison.Ordinal);
        Assert.Contains("need at least 999",
            Detectors.Refused("input.anomaly", new { false_alarms = 0.001, reference = Enumerable.Range(0, 500).Select(i => $"row {i}") }),
            StringComparison.Ordinal);
        Assert.Contains("command line only", Detectors.Refused("input.topic", new { topics = "/etc/passwd" }), StringComparison.Ordinal);
        Assert.Contains("approve a reference", Detectors.Refused("input.anomaly", new { }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_an_approved_reference_changes_what_is_unusual()
    {
        var references = new Approvals();
        var validator = Detectors.Make("input.anomaly", new { false_alarms = 0.05 }, references: references);

        var before = await validator.AskAsync("where is my parcel 17");
        references.Set = new("ref1", [.. Enumerable.Range(0, 100).Select(i => $"where is my parcel number {i}, please")]);
        var inside = await ((IValidator)validator).DecideAsync(new("where is my parcel number 17, please", null), Checks.Ct);
        var outside = await validator.AskAsync("write a poem about volcanoes in Iceland");
        references.Set = new("ref2", [.. Enumerable.Range(0, 100).Select(i => $"write a poem about volcanoes in Iceland, verse {i}")]);
        var after = await validator.DecideAsync(new("write a poem about volcanoes in Iceland, verse 3", null), Checks.Ct);

        Assert.Equal((Outcome.Skipped, Outcome.Pass, Outcome.Fail, Outcome.Pass),
            (before.Outcome, inside.Finding.Outcome, outside.Outcome, after.Finding.Outcome));
        Assert.EndsWith("-ref1", inside.Version, StringComparison.Ordinal);
        Assert.EndsWith("-ref2", after.Version, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("input.topic", 0.925)]
    [InlineData("input.anomaly", 0.925)]
    public async Task Real_queries_out_of_scope_are_told_from_those_within_at_the_promised_rate(string kind, double auroc)
    {
        var known = SharedData.Rows("intents_clinc150", "train.csv").Where(row => row.Label != "oos").ToArray();
        var validator = kind == "input.topic"
            ? Detectors.Make(kind, new { topics = known.Select(row => new { topic = row.Label, text = row.Text }) })
            : Detectors.Make(kind, new { reference = known.Select(row => row.Text) });
        var (inside, outside) = (new List<double>(), new List<double>());
        var failed = 0;
        foreach (var (text, label) in SharedData.Rows("intents_clinc150", "val.csv"))
        {
            var finding = await validator.AskAsync(text);
            (label == "oos" ? outside : inside).Add(kind == "input.topic" ? -finding.Score!.Value : finding.Score!.Value);
            failed += label != "oos" && finding.Outcome == Outcome.Fail ? 1 : 0;
        }

        Assert.InRange(ConformalSeparation.Auroc(outside, inside)!.Value, auroc, 1);
        Assert.InRange((double)failed / inside.Count, 0.04, 0.065);
    }

    sealed class Approvals : IApprovedReferences
    {
        public ReferenceSet? Set { get; set; }

        public ValueTask<ReferenceSet?> CurrentAsync(ProjectId project, string metric, MetricSubject subject, CancellationToken ct) =>
            new(Set);
    }
}
