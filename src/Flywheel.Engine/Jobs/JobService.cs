using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Jobs;

/// <summary>Work that is not done yet, and dead letters.</summary>
public sealed class JobService(IJobStore jobs, ISpanStore spans, IMetricStore metrics, WorkSignal work, TimeProvider clock)
{
    /// <param name="state">Only jobs in this state; null for all.</param>
    /// <exception cref="RequestException"><c>invalid_state</c>, <c>invalid_limit</c>.</exception>
    public async Task<JobPage> ListAsync(Caller caller, string? state, string? cursor, int limit, CancellationToken ct)
    {
        var page = await jobs.ListAsync(caller.Project, Wire.Choice<JobState>("state", state), cursor, PageSize.Check(limit), ct);
        var keys = (await spans.GetAsync(caller.Project, [.. page.Items.Select(job => job.Span).Distinct()], ct))
            .ToDictionary(span => span.Id, span => span.Key);
        var entries = new List<JobEntry>(page.Items.Count);
        foreach (var job in page.Items)
            entries.Add(new(
                job, keys.TryGetValue(job.Span, out var key) ? key : null,
                await metrics.GetVersionAsync(caller.Project, job.MetricVersion, ct)));
        return new(entries, page.Next, await jobs.CountsAsync(clock.GetUtcNow(), ct));
    }

    /// <summary>Tries dead letters again.</summary>
    /// <param name="ids">Null for all of the project.</param>
    /// <returns>Number of jobs that will be tried again; ids that name no dead letter are left out.</returns>
    public async Task<int> RetryAsync(Caller caller, IReadOnlyList<long>? ids, CancellationToken ct)
    {
        var retried = await jobs.RetryAsync(caller.Project, ids, clock.GetUtcNow(), ct);
        work.Set();
        return retried;
    }

    /// <summary>Tries one dead letter again.</summary>
    /// <exception cref="RequestException"><c>unknown_job</c>.</exception>
    public async Task RetryOneAsync(Caller caller, long id, CancellationToken ct)
    {
        if (await RetryAsync(caller, [id], ct) == 0)
            throw RequestException.NotFound("job", $"There is no dead letter {id} in this project: list the jobs in state `dead`.");
    }
}
