using Flywheel.Core.Projects;

namespace Flywheel.Core.Metrics;

/// <summary>What of the metric a validator may need to know besides its settings.</summary>
/// <param name="MetricName">Name of the metric; the pool of a judge's demonstrations goes by it.</param>
/// <param name="Criterion">The question in words.</param>
/// <param name="Project">Whose metric it is; null when plain texts are checked outside any project, and then a judge has no
/// examples.</param>
/// <param name="Stored">The metric that verdicts are recorded for; null when nothing is recorded, and then nothing is calibrated.</param>
public sealed record ValidatorContext(
    string MetricName, string Criterion, MetricSubject Subject, ProjectId? Project = null, Metric? Stored = null);
