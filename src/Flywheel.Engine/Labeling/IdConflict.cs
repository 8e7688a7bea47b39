using Flywheel.Core;
using Flywheel.Core.Labeling;

namespace Flywheel.Engine.Labeling;

/// <summary>Rows that carry an id of their sender.</summary>
static class IdConflict
{
    /// <param name="what">The kind of row, as in the code <c>WHAT_conflict</c>.</param>
    /// <exception cref="RequestException">The id names another row.</exception>
    public static void Check(InsertResult result, string what, Guid id)
    {
        if (result == InsertResult.Conflicting)
            throw new RequestException(
                RequestErrorKind.Conflict, what + "_conflict",
                $"The id or idempotency key was used for another {what} ({id}): use a new one.");
    }
}
