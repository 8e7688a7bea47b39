using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;

namespace SupportBot.Tests;

/// <summary>Keeps spans in memory and answers with one example a node.</summary>
internal sealed class RecordingLoop : ILoop
{
    readonly Lock gate = new();
    readonly List<NewSpan> spans = [];

    public Dictionary<string, ChosenDemonstration> Examples { get; } = [];

    public IReadOnlyList<NewSpan> Spans
    {
        get
        {
            lock (gate)
                return [.. spans];
        }
    }

    public Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<ChosenDemonstration>>(Examples.TryGetValue(query.Node, out var example) ? [example] : []);

    public Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct) => Task.FromResult(GuardAnswer.Unguarded(query.Input));

    public Task RecordAsync(IReadOnlyList<NewSpan> recorded, CancellationToken ct)
    {
        lock (gate)
            spans.AddRange(recorded);
        return Task.CompletedTask;
    }
}
