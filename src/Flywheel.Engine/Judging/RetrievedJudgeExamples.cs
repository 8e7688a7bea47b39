using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Retrieval;

namespace Flywheel.Engine.Judging;

/// <summary>Shows judges the approved labels that resemble the text at hand.</summary>
public sealed class RetrievedJudgeExamples(DemonstrationRetriever retriever, IDemonstrationStore store) : IJudgeExamples
{
    /// <summary>Labels from which on similarity chooses.</summary>
    public const int Enough = 50;

    public string PoolVersion(ProjectId project, string metric) => retriever.PoolVersion(project, DemonstrationPurpose.Judge, metric);

    public async Task<JudgeExamples> FindAsync(ProjectId project, string metric, string text, int k, SpanId? except, CancellationToken ct)
    {
        var pool = await retriever.IndexAsync(project, DemonstrationPurpose.Judge, metric, ct);
        var found = pool is null
            ? []
            // One more than wanted, in case the span's own label is among them.
            : (await retriever.SearchAsync(
                project, DemonstrationPurpose.Judge, metric, text, PolicyFor(pool.Count, except is null ? k : k + 1), ct)).Chosen;
        var examples = await ReadAsync(store, project, found, k, except, ct);
        return new JudgeExamples(PoolVersion(project, metric), examples);
    }

    /// <summary>Up to k of those found: approved to this moment, and not of the span that is judged.</summary>
    internal static async Task<IReadOnlyList<JudgeExample>> ReadAsync(
        IDemonstrationStore store, ProjectId project, IReadOnlyList<RetrievedDemonstration> found, int k, SpanId? except,
        CancellationToken ct)
    {
        var examples = new List<JudgeExample>(found.Count);
        foreach (var it in found)
            if (await store.GetAsync(project, it.Id, ct) is { State: DemonstrationState.Approved } demonstration
                && !(except is { } own && demonstration.SpanId == own.Value))
                examples.Add(new JudgeExample(it.Id, it.Text, it.Answer == "pass", demonstration.Reason));
        return Kept(examples, k);
    }

    /// <summary>
    /// Similarity among few labels is chance: until there are enough, the most recent ones are shown, both outcomes alike.
    /// </summary>
    public static RetrievalPolicy PolicyFor(int pool, int count)
    {
        var balanced = RetrievalPolicy.ForJudge with { Count = count, MaximumPerLabel = Math.Max(1, (count + 1) / 2 + 1) };
        return pool >= Enough ? balanced : balanced with { Strategy = RetrievalStrategy.Recent, MinimumPerLabel = Math.Max(1, count / 2) };
    }

    /// <summary>Without the first of the outcome that there is most of, when one is too many: the best stand last.</summary>
    static List<JudgeExample> Kept(List<JudgeExample> examples, int k)
    {
        while (examples.Count > k)
            examples.RemoveAt(examples.FindIndex(each => each.Passed == (examples.Count(one => one.Passed) * 2 >= examples.Count)));
        return examples;
    }
}
