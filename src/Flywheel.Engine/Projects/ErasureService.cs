using Flywheel.Core;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Projects;

/// <summary>Deletes everything that is kept of an end user.</summary>
/// <param name="observers">Copies outside the database, which forget too.</param>
public sealed class ErasureService(IErasureStore erasures, IEnumerable<IErasureObserver> observers, TimeProvider clock)
{
    static readonly TimeSpan Busy = TimeSpan.FromSeconds(10);

    /// <param name="endUser">As the spans name the person.</param>
    /// <param name="compact">Rewrite the database file afterwards, so that no free page holds what was deleted; writers wait
    /// meanwhile.</param>
    /// <exception cref="RequestException"><c>invalid_end_user</c>; <c>compaction_busy</c> if the data is deleted and the file was not
    /// rewritten.</exception>
    public async Task<ErasureResult> EraseAsync(Caller caller, string endUser, bool compact, CancellationToken ct)
    {
        RequestField.Name("end_user", endUser);
        var erased = await erasures.EraseAsync(caller.Project, endUser, caller.Actor, clock.GetUtcNow(), ct);
        foreach (var observer in observers)
            observer.Forget(caller.Project);
        return new(erased, compact && await CompactAsync(ct));
    }

    async Task<bool> CompactAsync(CancellationToken ct)
    {
        try
        {
            return await erasures.CompactAsync(ct);
        }
        catch (TimeoutException busy)
        {
            throw new RequestException(
                RequestErrorKind.Unavailable, "compaction_busy",
                $"The user's data is deleted, but the file was not rewritten: {busy.Message}")
            {
                RetryAfter = Busy,
            };
        }
    }
}
