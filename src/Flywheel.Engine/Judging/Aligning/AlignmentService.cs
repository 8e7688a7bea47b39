using Flywheel.Core;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Proposals;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>Begins and lists searches for a better judge.</summary>
public sealed class AlignmentService(IMetricStore metrics, IAlignmentStore alignments, AlignmentPreparation preparation, TimeProvider clock)
{
    /// <summary>Says what a search would do and cost; asks no model.</summary>
    /// <exception cref="RequestException">It cannot be made as asked.</exception>
    public async Task<AlignmentOutlook> LookAsync(Caller caller, string metric, AlignmentRequest request, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        return preparation.Outlook(found, request, await preparation.PrepareAsync(found, request, null, ct));
    }

    /// <summary>Begins a search that a worker or <see cref="JudgeAlignment.RunAsync"/> then makes. An open one of the metric is gone on
    /// with instead.</summary>
    /// <returns>No run if there are too few labels.</returns>
    /// <exception cref="RequestException">It cannot be made as asked.</exception>
    public async Task<(AlignmentOutlook Outlook, AlignmentRun? Run)> BeginAsync(
        Caller caller, string metric, AlignmentRequest request, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        var prepared = await preparation.PrepareAsync(found, request, null, ct);
        var outlook = preparation.Outlook(found, request, prepared);
        if (outlook.Missing > 0)
            return (outlook, null);
        var plan = new AlignmentPlan(
            request.Labels, request.Model, prepared.Reference, new Dictionary<int, IReadOnlyList<ProposedGuideline>>());
        var material = prepared.Material;
        return (outlook, await alignments.BeginAsync(
            found, plan, material.Cases.Max(each => each.At), AlignmentSearch.Steps(material.Split, prepared.Candidates), caller.Actor,
            clock.GetUtcNow(), ct));
    }

    /// <summary>Searches of a metric, newest first.</summary>
    public async Task<IReadOnlyList<AlignmentRun>> ListAsync(Caller caller, string metric, int limit, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        return await alignments.ListAsync(caller.Project, found.Id, PageSize.Check(limit), ct);
    }
}
