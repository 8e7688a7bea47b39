using Flywheel.Core.Guarding;

namespace Flywheel.Client.Guarding;

/// <summary>What asking the guards came to.</summary>
/// <param name="Answer">Null when they did not answer, or were not asked.</param>
/// <param name="Problem">Why they did not: <c>timeout</c>, <c>failed</c> or <c>paused</c>; null when they did or were not asked.</param>
/// <param name="IsBlocked">The model must not be asked.</param>
internal sealed record Guarded(GuardAnswer? Answer, string? Problem, TimeSpan Took, bool IsBlocked)
{
    public static readonly Guarded NotAsked = new(null, null, TimeSpan.Zero, false);

    public bool IsRedacted => Answer is { Decision: GuardDecision.Redact };

    public string Reason => Answer is { } answer ? answer.Reason : $"the guards could not be asked ({Problem})";
}
