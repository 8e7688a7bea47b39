using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Jobs;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Jobs;

public sealed record JobView(
    long Id, string? TraceId, string? SpanId, string? Metric, int? MetricVersion, string Lane, string State, int Attempts,
    DateTimeOffset VisibleAt, string? Reason)
{
    public static JobView Of(JobEntry it) => new(
        it.Job.Id, it.Span?.Trace, it.Span?.Span, it.Metric?.Name, it.Metric?.Number, Wire.Name(it.Job.Lane), Wire.Name(it.Job.State),
        it.Job.Attempts,
        it.Job.VisibleAt, it.Job.Reason);
}

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
        HttpCaller caller, JobService jobs, CancellationToken ct, string? state = null, string? cursor = null, int limit = 50)
    {
        var page = await jobs.ListAsync(caller, state, cursor, limit, ct);
        return TypedResults.Ok(new JobList([.. page.Jobs.Select(JobView.Of)], page.Next, page.Counts));
    }

    static async Task<Ok<RetryAnswer>> RetryAsync(Body<RetryBody> body, HttpCaller caller, JobService jobs, CancellationToken ct) =>
        TypedResults.Ok(new RetryAnswer(await jobs.RetryAsync(caller, body.Value.Ids, ct)));

    static async Task<Ok<RetryAnswer>> RetryOneAsync(long id, HttpCaller caller, JobService jobs, CancellationToken ct)
    {
        await jobs.RetryOneAsync(caller, id, ct);
        return TypedResults.Ok(new RetryAnswer(1));
    }
}
