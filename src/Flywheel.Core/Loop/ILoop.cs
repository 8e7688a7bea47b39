using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;

namespace Flywheel.Core;

/// <summary>What a node's call asks before the model runs.</summary>
/// <param name="K">How many demonstrations at most; null leaves it to the node's policy.</param>
/// <param name="Strategy"><c>similar</c>, <c>similar-fixed</c>, <c>both</c> or <c>recent</c>; null leaves it to the node's policy.</param>
/// <param name="EndUser">Who asks, for policies that treat people apart; null when unknown.</param>
public sealed record DemonstrationQuery(string Node, string Input, int? K = null, string? Strategy = null, string? EndUser = null);

/// <summary>One part of a demonstration's score, such as <c>similarity</c>: 0.83.</summary>
public sealed record ScorePart(string Name, double Value);

/// <summary>A demonstration chosen for a prompt.</summary>
/// <param name="Score">What it was ranked by; comparable within one answer only.</param>
/// <param name="Parts">Why it was chosen.</param>
public sealed record ChosenDemonstration(
    Guid Id, string Input, string Output, bool IsFixed, double Score, IReadOnlyList<ScorePart> Parts);

/// <summary>
/// The seam between an application and the loop: a server over HTTP, or the engine inside the same process.
/// </summary>
/// <remarks>Implementations may throw; the middleware in front of them swallows and counts.</remarks>
public interface ILoop
{
    /// <summary>Demonstrations for a prompt in prompt order: the most similar stands last.</summary>
    Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct);

    /// <summary>Asks the project's guards about an input before a model sees it.</summary>
    Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct);

    /// <summary>Records spans; when this returns they are durable.</summary>
    Task RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct);
}
