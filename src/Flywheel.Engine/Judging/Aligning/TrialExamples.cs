using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>Examples for judges on trial: approved ones without those that would tell the answers.</summary>
sealed class TrialExamples(DemonstrationIndex index, IEmbedder embedder, IDemonstrationStore store, DateTimeOffset now) : IJudgeExamples
{
    public string PoolVersion(ProjectId project, string metric) => "trial";

    public async Task<JudgeExamples> FindAsync(ProjectId project, string metric, string text, int k, SpanId? except, CancellationToken ct)
    {
        if (k == 0 || index.Count == 0)
            return new("trial", []);
        var vector = await embedder.EmbedQueryAsync(text, index.Lexicon, ct);
        // The time of the search's beginning, so that a later turn ranks alike and finds its answers kept.
        var found = index.Retrieve(
            new RetrievalQuery(text, vector, now), RetrievedJudgeExamples.PolicyFor(index.Count, except is null ? k : k + 1));
        return new("trial", await RetrievedJudgeExamples.ReadAsync(store, project, found.Chosen, k, except, ct));
    }
}

/// <summary>The same rules whenever they are asked for.</summary>
sealed class TrialGuidelines(GuidelineSet set) : IJudgeGuidelines
{
    public GuidelineSet Known(ProjectId project, string metric) => set;

    public Task<GuidelineSet> CurrentAsync(ProjectId project, string metric, CancellationToken ct) => Task.FromResult(set);
}
