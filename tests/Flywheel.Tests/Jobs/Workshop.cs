using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Jobs;
using Microsoft.Extensions.Time.Testing;

namespace Flywheel.Tests.Jobs;

/// <summary>Stores in memory, a clock that stands, and workers on them.</summary>
sealed class Workshop
{
    readonly List<IValidatorKind> _kinds = [];
    long _nextSpan;

    public Workshop() => Jobs =
        new() { ActiveMetrics = project => [.. Metrics.Metrics.Where(m => m.Project == project && m.State == MetricState.Active)] };

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public FakeTimeProvider Clock { get; } = new(new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    public FakeJobStore Jobs { get; }
    public FakeMetricStore Metrics { get; } = new();
    public FakeSpanStore Spans { get; } = new();
    public WorkSignal Signal { get; } = new();
    public List<(string What, Exception Error)> Faults { get; } = [];
    public IFaultClassifier Classifier { get; set; } = new PlatformFaults();

    public ScriptedKind Kind(string name, bool callsModel, Func<Examinee, CancellationToken, Task<Finding>> check)
    {
        var kind = new ScriptedKind(name, callsModel, check);
        _kinds.Add(kind);
        return kind;
    }

    public ScriptedKind Kind(string name, bool callsModel, Func<Examinee, Finding> check) =>
        Kind(name, callsModel, (examinee, _) => Task.FromResult(check(examinee)));

    public Metric Metric(string name, string kind, string settings = "{}", double sampling = 1, IReadOnlyList<string>? nodes = null)
    {
        var id = Metrics.Metrics.Count + 1;
        var metric = new Metric(
            new(id), new(id * 100), ProjectId.Default, name, 1, MetricState.Active, MetricRole.Monitor, "Is it good?", MetricSubject.Output,
            nodes, null,
            sampling, new(kind, System.Text.Json.JsonElement.Parse(settings)), "ann", Clock.GetUtcNow());
        Metrics.Metrics.Add(metric);
        return metric;
    }

    public SpanId Span(string? output = "an answer", string node = "writer", NodeKind kind = NodeKind.Writer)
    {
        var id = new SpanId(++_nextSpan);
        var content = new NewSpan { Key = new($"t{id.Value}", "s"), Node = node, Kind = kind, StartedAt = Clock.GetUtcNow(),
            Output = output };
        Spans.Spans.Add(id, new(id, ProjectId.Default, content, Clock.GetUtcNow()));
        Jobs.Pending.Add(new(ProjectId.Default, id, content.Key, node, kind, content.StartedAt));
        return id;
    }

    public MetricWorker Worker(WorkerOptions? options = null) => new(
        new(Jobs, Metrics, Spans), EngineValidators.Registry(further: _kinds), Classifier, options ?? new(), Signal, Clock, new(1),
        (what, error) => Faults.Add((what, error)));

    public Finding FindingOf(SpanId span, Metric metric) => VerdictOf(span, metric).Finding;

    public Verdict VerdictOf(SpanId span, Metric metric) =>
        Assert.Single(Jobs.Verdicts.Values, verdict => verdict.Span == span && verdict.MetricVersion == metric.VersionId);
}
