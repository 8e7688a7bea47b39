using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

public interface IVerdictStore
{
    /// <summary>The newest verdict of each metric on the spans given.</summary>
    Task<IReadOnlyList<Verdict>> CurrentAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct);
}
