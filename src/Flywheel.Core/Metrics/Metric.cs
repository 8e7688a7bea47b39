using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

public readonly record struct MetricId(long Value);

/// <summary>One wording of a metric; every verdict names the version that it answers.</summary>
public readonly record struct MetricVersionId(long Value);

/// <summary>What is judged.</summary>
/// <remarks>
/// Nothing evaluates paths, traces and sessions yet: such a metric is refused (see <see cref="MetricSubjects.IsOfSpan"/>), and one that
/// stands in the database is skipped on every span.
/// </remarks>
public enum MetricSubject
{
    Output,
    Input,

    /// <summary>The sequence of nodes of a trace; the verdict names the root span.</summary>
    Path,

    /// <summary>A whole trace; the verdict names the root span.</summary>
    Trace,

    /// <summary>A whole session; the verdict names its newest span.</summary>
    Session,
}

public enum MetricState
{
    Proposed,
    Active,
    Retired,
}

/// <summary>Whether a metric may stop an answer.</summary>
public enum MetricRole
{
    /// <summary>Runs after the answer; never in its way.</summary>
    Monitor,

    /// <summary>Runs before the answer is given and may block it.</summary>
    Guard,
}

/// <summary>What decides a metric: the validator's kind with its settings, such as <c>{"kind":"length","max":400}</c>.</summary>
/// <param name="Kind">The name under which a validator is registered.</param>
/// <param name="Settings">JSON object without <c>kind</c>.</param>
public sealed record ValidatorSpec(string Kind, JsonElement Settings)
{
    /// <summary>The kind of metrics that are judged elsewhere: outcomes come in, and none is ever due.</summary>
    public const string External = "external";
}

/// <summary>A named binary criterion in one of its versions.</summary>
/// <param name="Number">1 for the first version, rising by one.</param>
/// <param name="Criterion">The question in words, answerable by yes (pass) or no (fail).</param>
/// <param name="Nodes">Names of the nodes it is about; null means all.</param>
/// <param name="Kinds">Kinds of the nodes it is about; null means all.</param>
/// <param name="Sampling">Share in [0, 1] of applicable spans that are judged; the rest is recorded as skipped.</param>
/// <param name="Segments">Tenants, groups and users that it is about (see <see cref="Metrics.Segments"/>); null means all.</param>
/// <param name="OnFail">What a guard does about a text that fails; null for a monitor, and means <c>flag</c> for a guard.</param>
/// <param name="OnError">What a guard does when it cannot check; null for a monitor, and means <c>allow</c> for a guard.</param>
/// <param name="LabelsPerItem">How many people are asked about one item of the review queue, 1 to 9.</param>
public sealed record Metric(
    MetricId Id, MetricVersionId VersionId, ProjectId Project, string Name, int Number, MetricState State, MetricRole Role,
    string Criterion, MetricSubject Subject, IReadOnlyList<string>? Nodes, IReadOnlyList<NodeKind>? Kinds, double Sampling,
    ValidatorSpec Validator, string Author, DateTimeOffset CreatedAt, GuardAction? OnFail = null, GuardFault? OnError = null,
    IReadOnlyList<string>? Segments = null, int LabelsPerItem = 1);

/// <summary>A metric, or a new version of one, before it is stored.</summary>
public sealed record NewMetric(
    string Name, string Criterion, MetricSubject Subject, IReadOnlyList<string>? Nodes, IReadOnlyList<NodeKind>? Kinds,
    double Sampling, ValidatorSpec Validator, string Author, MetricRole Role = MetricRole.Monitor,
    MetricState State = MetricState.Active, GuardAction? OnFail = null, GuardFault? OnError = null, IReadOnlyList<string>? Segments = null,
    int LabelsPerItem = 1);
