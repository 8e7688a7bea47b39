using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics;

/// <param name="Field">In the wire's words: <c>sampling</c>, <c>validator.max</c>.</param>
/// <param name="Message">A sentence with the remedy.</param>
public sealed record MetricProblem(string Field, string Message);

/// <summary>What is wrong with a metric before it is stored.</summary>
public static class MetricCheck
{
    public const int MaxNameLength = 100;
    public const int MaxCriterionLength = 4_000;

    /// <returns>Every problem found; empty when the metric may be stored.</returns>
    public static IReadOnlyList<MetricProblem> Problems(NewMetric metric, ValidatorRegistry registry, ProjectId? project = null)
    {
        var problems = new List<MetricProblem>();
        void Add(string field, string message) => problems.Add(new(field, message));

        if (!IsName(metric.Name))
            Add("name", $"`name` must be 1 to {MaxNameLength} of the characters a-z, 0-9, `.`, `_` and `-`, and begin with a letter or "
                + "digit.");
        if (string.IsNullOrWhiteSpace(metric.Criterion))
            Add("criterion", "`criterion` is missing: say in words what a good text does, as a question answerable by yes (pass) or no "
                + "(fail).");
        else if (metric.Criterion.Length > MaxCriterionLength)
            Add("criterion", $"`criterion` has {metric.Criterion.Length} characters; the limit is {MaxCriterionLength}.");
        else if (SpanRules.Text(metric.Criterion) is { } badText)
            Add("criterion", $"`criterion` {badText}");
        if (metric.Sampling is not (>= 0 and <= 1))
            Add("sampling", "`sampling` must be a number from 0 (none) to 1 (every span).");
        foreach (var node in metric.Nodes ?? [])
            if (SpanRules.Name(node, SpanRules.MaxNameLength) is { } badName)
                Add("nodes", $"a name in `nodes` {badName}");
        if (metric.Nodes is { Count: 0 })
            Add("nodes", "`nodes` is an empty list, so the metric would never run: leave it out for all nodes.");
        if (metric.Segments is { Count: 0 })
            Add("segments", "`segments` is an empty list, so the metric would never run: leave it out for all segments.");
        foreach (var segment in metric.Segments ?? [])
            if (string.IsNullOrWhiteSpace(segment) || segment.Length > SpanRules.MaxNameLength || SpanRules.Text(segment) is not null)
                Add("segments", $"`segments` holds {Quote.Short(segment ?? "")}: write 1 to {SpanRules.MaxNameLength} characters, such as "
                    + "`tenant:acme`.");
        if (metric.LabelsPerItem is < 1 or > 9)
            Add("labels_per_item", $"`labels_per_item` is {metric.LabelsPerItem}: ask 1 to 9 people about an item.");
        if (metric.Kinds is { Count: 0 })
            Add("kinds", "`kinds` is an empty list, so the metric would never run: leave it out for all kinds.");
        CheckValidator(metric, registry, project, Add);
        CheckGuard(metric, registry, Add);
        return problems;
    }

    static bool IsName(string? name) =>
        name is { Length: > 0 and <= MaxNameLength } && (char.IsAsciiLetterLower(name[0]) || char.IsAsciiDigit(name[0]))
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');

    static void CheckGuard(NewMetric metric, ValidatorRegistry registry, Action<string, string> add)
    {
        if (metric.Role == MetricRole.Monitor)
        {
            if (metric.OnFail is { } onFail)
                add("on_fail", $"`on_fail` is `{Wire.Name(onFail)}`, but a monitor never acts: set `role` to `guard`, or leave "
                    + "`on_fail` out.");
            if (metric.OnError is not null)
                add("on_error", "`on_error` is for guards: set `role` to `guard`, or leave `on_error` out.");
            return;
        }
        if (metric.Sampling < 1)
            add("sampling", "a guard looks at every text: leave `sampling` out, or set `role` to `monitor`.");
        if (registry.Find(metric.Validator.Kind) is not { } kind)
            return;
        if (!kind.CanGuard && metric.Subject == MetricSubject.Input)
            add("role", $"`{kind.Name}` needs a stored span, so it cannot guard an input: set `role` to `monitor`.");
        if (metric.OnFail == GuardAction.Redact && !kind.FindsSpans)
            add("on_fail", $"`{kind.Name}` does not say where it found something, so nothing can be redacted: use `block` or `flag`, or "
                + "one of "
                + $"{NearMiss.List(registry.Kinds.Where(other => other.FindsSpans).Select(other => other.Name))}.");
        if (metric.OnFail == GuardAction.Block && metric.Subject == MetricSubject.Output)
            add("on_fail", "`block` is for inputs: an output is checked when it has been given. Use `flag` or `redact`, or set `subject` "
                + "to `input`.");
    }

    static void CheckValidator(NewMetric metric, ValidatorRegistry registry, ProjectId? project, Action<string, string> add)
    {
        try
        {
            var kind = registry.Get(metric.Validator.Kind);
            if (!metric.Subject.IsOfSpan())
                add("subject", $"`subject` is `{Wire.Name(metric.Subject)}`: metrics about paths, traces and sessions are not validated "
                    + "yet. Use `output` or `input`.");
            else if (!kind.Subjects.Contains(metric.Subject))
                add("subject", $"`{kind.Name}` cannot check an {Wire.Name(metric.Subject)}, only "
                    + $"{NearMiss.List(kind.Subjects.Select(Wire.Name))}.");
            foreach (var nodes in metric.Kinds ?? [])
                if (!kind.NodeKinds.Contains(nodes))
                    add("kinds", $"`{kind.Name}` cannot check {Wire.Name(nodes)} nodes, only "
                        + $"{NearMiss.List(kind.NodeKinds.Order().Select(Wire.Name))}.");
            if (!string.IsNullOrWhiteSpace(metric.Criterion))
                kind.Create(new(metric.Name, metric.Criterion, metric.Subject, project), metric.Validator.Settings);
        }
        catch (ValidatorSettingsException error)
        {
            add(error.Setting is "validator" or "criterion" ? error.Setting : $"validator.{error.Setting}", error.Message);
        }
    }
}
