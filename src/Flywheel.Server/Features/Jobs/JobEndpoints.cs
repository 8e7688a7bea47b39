using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Jobs;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Jobs;

public sealed record JobView(
    long Id, string? TraceId, string? SpanId, string? Metric, int? MetricVersion, string Lane, string State, int Attempts, DateTimeOffset VisibleAt, string? Reason);

public sealed record JobList(IReadOnlyList<JobView> Jobs, string? Next, JobCounts Counts);

/// <param name="Ids">Dead letters to retry; left out means all of the project.</param>
public sealed record RetryBody(IReadOnlyList<long>? Ids = null);

public sealed record RetryAnswer(int Retried);

static class JobEndpoints
{
    public static void MapJobs(this IEndpointRouteBuilder api)
    {
        var jobs = api.MapGroup("/jobs").WithTags("Jobs");
        jobs.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Work not done yet, and dead letters (state=dead)");
        jobs.MapPost("/retry", RetryAsync).Needs(KeyScope.Admin).WithSummary("Retry dead letters, all or by id");
        jobs.MapPost("/{id:long}/retry", RetryOneAsync).Needs(KeyScope.Admin).WithSummary("Retry one dead letter");
    }

    static async Task<Ok<JobList>> ListAsync(
        HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct, string? state = null, string? cursor = null, int limit = 50)
    {
        var wanted = state is null ? (JobState?)null
            : Wire.Parse<JobState>(state) ?? throw RequestException.BadField("state", $"`state` is `{state}`: use {Wire.Choices<JobState>()}.");
        var page = await store.Jobs.ListAsync(caller.Project, wanted, cursor, PageSize.Check(limit), ct);
        var spans = (await store.Spans.GetAsync(caller.Project, [.. page.Items.Select(job => job.Span).Distinct()], ct)).ToDictionary(span => span.Id);
        var views = new List<JobView>(page.Items.Count);
        foreach (var job in page.Items)
        {
            var metric = await store.Metrics.GetVersionAsync(caller.Project, job.MetricVersion, ct);
            var span = spans.GetValueOrDefault(job.Span);
            views.Add(new JobView(
                job.Id, span?.Key.Trace, span?.Key.Span, metric?.Name, metric?.Number, Wire.Name(job.Lane), Wire.Name(job.State), job.Attempts,
                job.VisibleAt, job.Reason));
        }
        return TypedResults.Ok(new JobList(views, page.Next, await store.Jobs.CountsAsync(clock.GetUtcNow(), ct)));
    }

    static async Task<Ok<RetryAnswer>> RetryAsync(
        Body<RetryBody> body, HttpCaller caller, IFlywheelStore store, WorkSignal work, TimeProvider clock, CancellationToken ct)
    {
        var retried = await store.Jobs.RetryAsync(caller.Project, body.Value.Ids, clock.GetUtcNow(), ct);
        work.Set();
        return TypedResults.Ok(new RetryAnswer(retried));
    }

    static async Task<Ok<RetryAnswer>> RetryOneAsync(
        long id, HttpCaller caller, IFlywheelStore store, WorkSignal work, TimeProvider clock, CancellationToken ct)
    {
        if (await store.Jobs.RetryAsync(caller.Project, [id], clock.GetUtcNow(), ct) == 0)
            throw RequestException.NotFound("job", $"There is no dead letter {id} in this project: GET /api/v1/jobs?state=dead lists them.");
        work.Set();
        return TypedResults.Ok(new RetryAnswer(1));
    }
}
