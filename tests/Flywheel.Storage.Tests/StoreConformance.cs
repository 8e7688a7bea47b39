using System.Data.Common;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

/// <summary>What each suite of cases starts from: a fresh store and short words for common rows.</summary>
public abstract class StoreConformance(ITestDatabases databases) : IAsyncLifetime
{
    protected static readonly ProjectId Home = ProjectId.Default;
    protected static readonly DateTimeOffset Noon = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    string? _url;
    int _ids;

    protected IFlywheelStore Store { get; private set; } = null!;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected ITestDatabases Databases => databases;

    protected string Url => _url!;

    public async ValueTask InitializeAsync()
    {
        _url = await databases.NewAsync();
        Store = await OpenAsync();
        await Store.MigrateAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected Task<IFlywheelStore> OpenAsync(StoreOptions? options = null) => FlywheelStore.OpenAsync(Url, options, Ct);

    protected async Task ReopenAsync(StoreOptions? options = null)
    {
        await Store.DisposeAsync();
        Store = await OpenAsync(options);
    }

    /// <summary>Runs SQL as another tool would.</summary>
    protected async Task<object?> SqlAsync(string sql)
    {
        await using var connection = databases.Connect(Url);
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync(Ct);
    }

    protected async Task<long> CountAsync(string table) =>
        Convert.ToInt64(await SqlAsync($"SELECT count(*) FROM {table}"), System.Globalization.CultureInfo.InvariantCulture);

    protected NewSpan NewSpan(string? trace = null, string node = "intent", DateTimeOffset? at = null) => new()
    {
        Key = new(trace ?? $"trace-{++_ids}", $"span-{++_ids}"),
        Node = node,
        Kind = NodeKind.Classifier,
        Input = "Where is my parcel?",
        Output = "tracking",
        StartedAt = at ?? Noon,
        DurationMs = 12.5,
    };

    protected async Task<Span> SpanAsync(NewSpan? span = null, ProjectId? project = null)
    {
        span ??= NewSpan();
        var fates = await Store.AddRawSpansAsync(project ?? Home, [span], Noon, Ct);
        Assert.Equal([SpanInsertResult.Stored], fates);
        return (await Store.Spans.FindAsync(project ?? Home, span.Key, Ct))!;
    }

    protected static NewMetric NewMetric(string name = "short", double sampling = 1) => new(
        name, "Is the answer short?", MetricSubject.Output, Nodes: null, Kinds: null, sampling,
        new("length", JsonSerializer.SerializeToElement(new { max = 400 })), "ann");

    protected async Task<Metric> MetricAsync(NewMetric? metric = null, ProjectId? project = null) =>
        (await Store.Metrics.AddAsync(project ?? Home, metric ?? NewMetric(), expectNew: false, Noon, Ct))!;

    protected static IReadOnlyList<Pairing> PairAll(PendingSpan span, IReadOnlyList<Metric> metrics) =>
        metrics.Select(metric => new Pairing(
            metric, JobLane.Code, "v1", Applicability.WhyNot(metric, span.Node, span.Kind, span.Key))).ToArray();

    protected Task<int> FanOutAsync(int limit = 1_000) => Store.Jobs.FanOutAsync(limit, PairAll, Noon, Ct);

    protected Task<IReadOnlyList<Job>> ClaimAsync(int limit = 1_000, DateTimeOffset? now = null, string worker = "w1") =>
        Store.Jobs.ClaimAsync(JobLane.Code, limit, TimeSpan.FromSeconds(30), worker, now ?? Noon, Ct);

    protected static Verdict Verdict(
        Span span, Metric metric, Outcome outcome = Outcome.Pass, string validator = "v1", DateTimeOffset? at = null,
        double? confidence = null) =>
        new(span.Project, span.Id, metric.Id, metric.VersionId, validator, new(outcome, 3, "because", confidence), 0.5, at ?? Noon);

    /// <summary>Brings a verdict in by the only door: a leased job.</summary>
    protected async Task JudgeAsync(Verdict verdict)
    {
        await Store.Jobs.EnqueueAsync(verdict.Project, verdict.MetricVersion, JobLane.Judge, [verdict.Span], Noon, Ct);
        var jobs = await Store.Jobs.ClaimAsync(JobLane.Judge, 1_000, TimeSpan.FromSeconds(30), "judge", Noon, Ct);
        var job = Assert.Single(jobs, job => job.Span == verdict.Span && job.MetricVersion == verdict.MetricVersion);
        Assert.Equal([true], await Store.Jobs.EndAsync([new JobEnd.Done(job, verdict)], Noon, Ct));
    }

    protected static Label Label(
        Span span, Metric metric, bool passed, LabelMode mode = LabelMode.Blind, string author = "ann", DateTimeOffset? at = null) =>
        new(Guid.CreateVersion7(), span.Project, span.Id, metric.Id, passed, mode, "critique", author, null, at ?? Noon);

    protected static Correction Correction(Span span, string output = "delivery", string? wrong = "wrong topic") =>
        new(Guid.CreateVersion7(), span.Project, span.Id, wrong, output, "the parcel is the topic", "ann", Noon);

    protected async Task AssertCountsAsync(Metric metric) => Assert.Equal(
        await Store.Metrics.RecomputedCellsAsync(metric.Project, metric.Id, Ct),
        await Store.Metrics.CellsAsync(metric.Project, metric.Id, Ct));

    protected static async Task<DbConnection> OpenedAsync(DbConnection connection)
    {
        await connection.OpenAsync(Ct);
        return connection;
    }
}
