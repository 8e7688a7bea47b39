using System.Collections.Concurrent;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Judging;

/// <summary>Reads approved guidelines from the store, once a second at most for each metric.</summary>
public sealed class StoredGuidelines(IGuidelineStore store, TimeProvider clock) : IJudgeGuidelines
{
    static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    readonly ConcurrentDictionary<(ProjectId, string), (GuidelineSet Set, long ReadAt)> _known = new();

    public GuidelineSet Known(ProjectId project, string metric) =>
        _known.TryGetValue((project, metric), out var known) ? known.Set : GuidelineSet.None;

    public async Task<GuidelineSet> CurrentAsync(ProjectId project, string metric, CancellationToken ct)
    {
        if (_known.TryGetValue((project, metric), out var known) && clock.GetElapsedTime(known.ReadAt) < Fresh)
            return known.Set;
        var readAt = clock.GetTimestamp();
        var texts = await store.ApprovedAsync(project, metric, ct);
        var set = texts.Count == 0
            ? GuidelineSet.None
            : new(ValidatorKind.Hash(string.Join("\n", texts.Select(text => $"{text.Length}:{text}"))), texts);
        _known[(project, metric)] = (set, readAt);
        return set;
    }
}
