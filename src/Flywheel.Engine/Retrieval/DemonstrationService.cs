using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Retrieval;

/// <summary>Demonstrations: a person reads them, lets them into prompts and takes them out again.</summary>
public sealed class DemonstrationService(IDemonstrationStore demonstrations, DemonstrationEmbedding embedding, TimeProvider clock)
{
    /// <summary>The newest first.</summary>
    /// <exception cref="RequestException">
    /// <c>invalid_node</c>, <c>invalid_purpose</c>, <c>invalid_state</c>, <c>invalid_limit</c>.
    /// </exception>
    public Task<Page<Demonstration>> ListAsync(Caller caller, DemonstrationRequest request, CancellationToken ct)
    {
        if (request is { Node: not null, Metric: not null })
            throw RequestException.BadField("node", "Give `node` (a task prompt) or `metric` (a judge's prompt), not both.");
        var purpose = Wire.Choice<DemonstrationPurpose>("purpose", request.Purpose);
        var filter = new DemonstrationFilter(
            request.Metric is not null ? DemonstrationPurpose.Judge : request.Node is not null ? DemonstrationPurpose.Task : purpose,
            request.Metric ?? request.Node, Wire.Choice<DemonstrationState>("state", request.State), request.Cursor,
            PageSize.Check(request.Limit));
        return demonstrations.ListAsync(caller.Project, filter, ct);
    }

    /// <exception cref="RequestException"><c>unknown_demonstration</c>.</exception>
    public async Task<Demonstration> GetAsync(Caller caller, Guid id, CancellationToken ct) =>
        await demonstrations.GetAsync(caller.Project, id, ct)
        ?? throw RequestException.NotFound("demonstration", $"There is no demonstration {id} in this project.");

    /// <summary>Lets demonstrations into prompts.</summary>
    /// <returns>Number of those whose state changed; ids that name none are left out.</returns>
    public async Task<int> ApproveAsync(Caller caller, IReadOnlyList<Guid> ids, CancellationToken ct)
    {
        var changed = await demonstrations.ApproveAsync(caller.Project, ids, caller.Actor, clock.GetUtcNow(), ct);
        await embedding.RunOnceAsync(ct);
        return changed;
    }

    /// <summary>Lets one demonstration into prompts.</summary>
    /// <exception cref="RequestException"><c>unknown_demonstration</c>.</exception>
    public async Task<Demonstration> ApproveOneAsync(Caller caller, Guid id, CancellationToken ct)
    {
        await GetAsync(caller, id, ct);
        await ApproveAsync(caller, [id], ct);
        return await GetAsync(caller, id, ct);
    }

    /// <summary>Takes demonstrations out of all prompts.</summary>
    /// <returns>Number of those whose state changed; ids that name none are left out.</returns>
    public Task<int> RecallAsync(Caller caller, IReadOnlyList<Guid> ids, CancellationToken ct) =>
        demonstrations.RecallAsync(caller.Project, ids, caller.Actor, clock.GetUtcNow(), ct);

    /// <summary>Takes one demonstration out of all prompts.</summary>
    /// <exception cref="RequestException"><c>unknown_demonstration</c>.</exception>
    public async Task<Demonstration> RecallOneAsync(Caller caller, Guid id, CancellationToken ct)
    {
        await GetAsync(caller, id, ct);
        await RecallAsync(caller, [id], ct);
        return await GetAsync(caller, id, ct);
    }
}
