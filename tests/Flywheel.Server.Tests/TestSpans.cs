using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Traces;

namespace Flywheel.Server.Tests;

/// <summary>Puts spans into a store, with an arrival time of the test's own and no guards.</summary>
static class TestSpans
{
    public static SpanIntake Intake(this IFlywheelStore store, ISpanFilter? filter = null) =>
        new(store.SpanWriter, store.Spans, filter ?? new Unfiltered(), new(), TimeProvider.System);

    public static async Task<IReadOnlyList<SpanInsertResult>> AddSpansAsync(
        this IFlywheelStore store, ProjectId project, IReadOnlyList<NewSpan> spans, DateTimeOffset at, CancellationToken ct) =>
        await store.SpanWriter.AddAsync(await AdmittedSpans.AdmitAsync(project, spans, new Unfiltered(), at, ct), at, ct);

    sealed class Unfiltered : ISpanFilter
    {
        public ValueTask<IReadOnlyList<NewSpan>> BeforeStoringAsync(
            ProjectId project, IReadOnlyList<NewSpan> spans, CancellationToken ct) => new(spans);
    }
}
