using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Judging;

/// <summary>Compares a metric's judge with people.</summary>
public sealed class JudgeAgreementService(
    IMetricStore metrics, IServingStore serving, IJudgeWatchStore watch, CalibrationService calibrations)
{
    const string BySegment = "segment";

    /// <param name="cut">Its <c>By</c> may also be <c>segment</c>.</param>
    public async Task<JudgeAgreement> GetAsync(Caller caller, string name, SummaryCut cut, CancellationToken ct)
    {
        var slicing = Slicing(cut);
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        var versions = await metrics.VersionsAsync(caller.Project, name, ct);
        var cells = await metrics.CellsAsync(caller.Project, metric.Id, ct);
        var table = new AgreementTable(versions, [.. cells.Where(slicing.Holds)]);
        var segmented = cut.By == BySegment ? await serving.SegmentedLabelsAsync(caller.Project, metric.Id, ct) : [];
        return new(
            metric, table.Versions(slicing.ByNode), table.Pooled(slicing, segmented), await calibrations.FindAsync(metric, ct),
            ServingGap.Of(await serving.AgreementAsync(caller.Project, metric.Id, ct)),
            HumanAgreement.Of(await serving.RatingsAsync(caller.Project, metric.Id, ct)),
            await watch.AlarmsAsync(caller.Project, metric.Id, openOnly: true, AlarmService.MostShown, ct));
    }

    static SummarySlicing Slicing(SummaryCut cut)
    {
        if (cut.By is not (null or "node" or "time" or "node,time" or BySegment))
            throw RequestException.BadField("by", $"`by` is `{cut.By}`: use node, time, node,time or segment, or leave it out.");
        if (cut.By != BySegment)
            return SummarySlicing.Parse(cut);
        return (cut.Node ?? cut.From ?? cut.To) is null
            ? SummarySlicing.Parse(cut with { By = null })
            : throw RequestException.BadField("by", "`by=segment` goes without `node`, `from` and `to`.");
    }
}
