using Flywheel.Core.Projects;

namespace Flywheel.Core.Traces;

/// <summary>Sees every span on its way into the store, whatever its origin, and may take something out of it.</summary>
public interface ISpanFilter
{
    /// <summary>What to store instead: as many spans, in the same order, with the same keys.</summary>
    ValueTask<IReadOnlyList<NewSpan>> BeforeStoringAsync(ProjectId project, IReadOnlyList<NewSpan> spans, CancellationToken ct);
}
