using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Retrieval;

namespace Flywheel.Engine.Judging;

/// <summary>Shows judges the approved labels that resemble the text at hand.</summary>
public sealed class RetrievedJudgeExamples(DemonstrationRetriever retriever, IDemonstrationStore store) : IJudgeExamples
{
    public string PoolVersion(ProjectId project, string metric) => retriever.PoolVersion(project, DemonstrationPurpose.Judge, metric);

    public async Task<JudgeExamples> FindAsync(ProjectId project, string metric, string text, int k, CancellationToken ct)
    {
        var policy = RetrievalPolicy.ForJudge with { Count = k, MaximumPerLabel = Math.Max(1, (k + 1) / 2 + 1) };
        var found = await retriever.SearchAsync(project, DemonstrationPurpose.Judge, metric, text, policy, ct);
        var examples = new List<JudgeExample>(found.Chosen.Count);
        foreach (var it in found.Chosen)
            if (await store.GetAsync(project, it.Id, ct) is { State: DemonstrationState.Approved } demonstration)
                examples.Add(new JudgeExample(it.Id, it.Text, it.Answer == "pass", demonstration.Reason));
        return new JudgeExamples(PoolVersion(project, metric), examples);
    }
}
