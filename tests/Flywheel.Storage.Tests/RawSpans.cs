using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

/// <summary>Writes spans as they are, unchecked, as SQL of another tool would; only tests of the database itself may.</summary>
static class RawSpans
{
    public static Task<IReadOnlyList<SpanInsertResult>> AddRawSpansAsync(
        this IFlywheelStore store, ProjectId project, IReadOnlyList<NewSpan> spans, DateTimeOffset at, CancellationToken ct) =>
        ((FlywheelStore)store).Database.AddSpansAsync(project, spans, at, ct);
}
