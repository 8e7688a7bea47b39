using Flywheel.Client.Recording;
using Flywheel.Core;

namespace Flywheel.Client.Prompting;

/// <summary>What asking for demonstrations came to.</summary>
/// <param name="Problem">Why there are none: <c>timeout</c>, <c>failed</c> or <c>paused</c>; null when the loop answered.</param>
internal sealed record Retrieved(IReadOnlyList<ChosenDemonstration> Demonstrations, string? Problem, TimeSpan Took);

/// <summary>Asks the loop for demonstrations; a call goes without when there is no answer in time.</summary>
internal sealed class DemonstrationSource(ILoop loop, TimeProvider time, Counters counters)
{
    readonly LoopQuestion<DemonstrationQuery, IReadOnlyList<ChosenDemonstration>> question =
        new(loop.DemonstrateAsync, "demonstrations", FlywheelFailureKind.Retrieval, time, counters);

    public async Task<Retrieved> FindAsync(DemonstrationQuery query, TimeSpan deadline, CancellationToken ct)
    {
        var told = await question.AskAsync(query, deadline, ct).ConfigureAwait(false);
        return new(told.Answer ?? [], told.Problem, told.Took);
    }
}
