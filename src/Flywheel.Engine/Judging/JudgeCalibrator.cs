using System.Collections.Concurrent;
using System.Text.Json;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Judging;

/// <summary>A judge whose verdicts can be calibrated.</summary>
interface ICalibratedValidator : IValidator
{
    CalibrationPlan Plan { get; }

    GuaranteeSetting Guarantee { get; }
}

/// <summary>Fits calibrations of judges to their blind labels, and fits them anew as labels come.</summary>
public sealed class JudgeCalibrator(
    IProjectStore projects, IMetricStore metrics, ICalibrationStore calibrations, IJudgeWatchStore watch, ValidatorRegistry registry,
    TimeProvider clock)
{
    /// <summary>Newest labelled verdicts that are read; older ones say less of the judge that answers now.</summary>
    const int Labels = 2_000;

    /// <summary>A new fit after so many new labels, or a tenth of those there were.</summary>
    const int Few = 5;

    readonly ConcurrentDictionary<MetricVersionId, ICalibratedValidator?> _validators = new();

    /// <summary>Looks at every active judge.</summary>
    /// <returns>How many calibrations were made anew.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var made = 0;
        foreach (var project in await projects.ListAsync(ct))
            foreach (var metric in await metrics.ListAsync(project.Id, ct))
                if (metric.State == MetricState.Active && registry.Find(metric.Validator.Kind)?.CallsModel == true
                    && ValidatorOf(metric) is { } validator
                    && await calibrations.NewestJudgeAsync(project.Id, metric.Id, ct) is { } judge)
                {
                    var labels = await LabelsAsync(metric, judge, ct);
                    var known = await calibrations.FindAsync(project.Id, metric.VersionId, judge, ct);
                    if (!IsDue(known, labels.Count, validator.Plan))
                        continue;
                    await calibrations.PutAsync(Fit(metric, judge, labels, validator.Plan), ct);
                    made++;
                }
        return made;
    }

    /// <summary>What is in force; where nothing was fitted yet, what would be.</summary>
    /// <returns>Null for a metric whose verdicts cannot be calibrated.</returns>
    public async Task<JudgeStanding?> StandingAsync(Metric metric, CancellationToken ct)
    {
        if (registry.Find(metric.Validator.Kind)?.CallsModel != true || ValidatorOf(metric) is not { } validator)
            return null;
        var open = await watch.AlarmsAsync(metric.Project, metric.Id, openOnly: true, 100, ct);
        if (await calibrations.NewestJudgeAsync(metric.Project, metric.Id, ct) is not { } judge)
            return new(null, validator.Guarantee, open);
        var known = await calibrations.FindAsync(metric.Project, metric.VersionId, judge, ct)
            ?? Fit(metric, judge, await LabelsAsync(metric, judge, ct), validator.Plan);
        return new(known, validator.Guarantee, open);
    }

    JudgeCalibration Fit(Metric metric, string judge, IReadOnlyList<LabelledTrail> labels, CalibrationPlan plan) =>
        new(metric.Project, metric.VersionId, judge, labels.Count, plan, JudgeCalibration.Fit(labels, plan), clock.GetUtcNow());

    static bool IsDue(JudgeCalibration? known, int labels, CalibrationPlan plan) => known is null
        ? labels > 0
        : Math.Abs(labels - known.Labels) >= Math.Max(Few, known.Labels / 10)
            || JsonSerializer.Serialize(known.Plan) != JsonSerializer.Serialize(plan);

    /// <summary>Of this judge in every version of the metric that is about the same traffic: a version that only promises otherwise keeps
    /// its labels.</summary>
    async Task<IReadOnlyList<LabelledTrail>> LabelsAsync(Metric metric, string judge, CancellationToken ct)
    {
        static string Scope(Metric version) =>
            JsonSerializer.Serialize(new { version.Nodes, version.Kinds, version.Sampling, version.Segments, version.Subject });
        var same = (await metrics.VersionsAsync(metric.Project, metric.Name, ct)).Where(version => Scope(version) == Scope(metric));
        return await calibrations.LabelledAsync(
            metric.Project, metric.Id, [.. same.Select(version => version.VersionId)], judge, Labels, ct);
    }

    ICalibratedValidator? ValidatorOf(Metric metric) => _validators.GetOrAdd(metric.VersionId, (_, one) =>
    {
        try
        {
            return registry.Create(one.Validator, new(one.Name, one.Criterion, one.Subject, one.Project)) as ICalibratedValidator;
        }
        catch (ValidatorSettingsException)
        {
            // Its jobs end as errors that say why; there is nothing to calibrate.
            return null;
        }
    }, metric);
}
