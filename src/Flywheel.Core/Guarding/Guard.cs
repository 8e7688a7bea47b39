using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Guarding;

/// <summary>An input before a model sees it.</summary>
/// <param name="EndUser">Who asks; null when unknown.</param>
/// <param name="Attributes">JSON object of what else the application knows, as on a span; null when there is nothing.</param>
public sealed record GuardQuery(
    string Node, NodeKind Kind, string Input, string? EndUser = null, string? Session = null, string? Attributes = null);

/// <summary>In rising order of severity.</summary>
public enum GuardDecision
{
    Allow,

    /// <summary>Go on, with the answer's input instead of the query's.</summary>
    Redact,
    Block,
}

/// <summary>What one guard said.</summary>
/// <param name="Metric">Its name.</param>
/// <param name="Action">What it does when it fails.</param>
/// <param name="Finding">Its spans are positions in the query's input.</param>
public sealed record GuardFinding(string Metric, string ValidatorVersion, GuardAction Action, Finding Finding)
{
    /// <summary>What this guard takes out of the text; empty when it takes out nothing.</summary>
    public IReadOnlyList<FoundSpan> Redacts =>
        Action == GuardAction.Redact && Finding is { Outcome: Outcome.Fail, Spans: { } spans } ? spans : [];
}

/// <summary>What may be done with an input.</summary>
/// <param name="Input">What may go to the model: the query's input, redacted if a guard says so.</param>
/// <param name="Findings">One a guard that looked, the passing ones included.</param>
/// <param name="Milliseconds">How long all of them took.</param>
public sealed record GuardAnswer(GuardDecision Decision, string Input, IReadOnlyList<GuardFinding> Findings, double Milliseconds)
{
    /// <summary>No guard looked.</summary>
    public static GuardAnswer Unguarded(string input) => new(GuardDecision.Allow, input, [], 0);

    /// <summary>The guards that failed or faulted, in words, for people and logs: <c>input.topic: about something else</c>.</summary>
    public string Reason => string.Join("; ", Findings
        .Where(finding => finding.Finding.Outcome is Outcome.Fail or Outcome.Error)
        .OrderBy(finding => finding.Action)
        .Select(finding => $"{finding.Metric}: {finding.Finding.Reason ?? "failed"}"));
}
