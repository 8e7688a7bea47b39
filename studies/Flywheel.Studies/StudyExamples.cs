using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Judging;

namespace Flywheel.Studies;

/// <summary>How a judge's examples are chosen from the labels given so far.</summary>
enum ExampleChoice
{
    /// <summary>Five at random, as LangSmith does.</summary>
    RandomFive,

    /// <summary>The six most similar and nothing else, as MemAlign's episodic memory does.</summary>
    MostSimilar,

    /// <summary>The product's policy.</summary>
    Ours,
}

/// <summary>A pool of labels in the product's own index, asked for examples in one of several ways.</summary>
sealed class StudyExamples(ExampleChoice choice, LexicalEmbedder embedder, int seed) : IJudgeExamples
{
    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    static readonly RetrievalPolicy Similar = new()
    {
        Count = 6, HalfLife = null, DisagreementWeight = 0, DiversityWeight = 0, CoverageWeight = 0, SupportWeight = 0, MaximumPerEndUser = null,
        MinimumSimilarity = -1,
    };

    readonly DemonstrationIndex _index = new(embedder.Fingerprint, embedder.Dimensions);
    readonly List<JudgeExample> _all = [];

    public void Add(LabelledText label, double disagreement)
    {
        var id = new Guid(_all.Count + 1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]);
        _all.Add(new JudgeExample(id, label.Output, label.Passed, null));
        // One label a minute: age hardly matters within a study.
        _index.Upsert(new IndexedDemonstration(
            id, label.Output, label.Passed ? "pass" : "fail", false, Start.AddMinutes(_all.Count), disagreement, null, embedder.EmbedDocument(label.Output)));
    }

    public string PoolVersion(ProjectId project, string metric) => $"{_all.Count}";

    public async Task<JudgeExamples> FindAsync(ProjectId project, string metric, string text, int k, SpanId? except, CancellationToken ct)
    {
        var version = PoolVersion(project, metric);
        if (choice == ExampleChoice.RandomFive)
        {
            // Drawn anew for every text, the same at every run.
            var random = new Random(seed + 31 * _all.Count + text.Aggregate(17, (hash, letter) => unchecked(hash * 31 + letter)));
            var order = _all.ToArray();
            random.Shuffle(order);
            return new JudgeExamples(version, order[..Math.Min(5, order.Length)]);
        }
        var policy = choice == ExampleChoice.Ours ? RetrievedJudgeExamples.PolicyFor(_all.Count, k) : Similar;
        var query = new RetrievalQuery(text, await embedder.EmbedQueryAsync(text, _index.Lexicon, ct), Start.AddMinutes(_all.Count));
        return new JudgeExamples(version, [.. _index.Retrieve(query, policy).Chosen.Select(it => new JudgeExample(it.Id, it.Text, it.Answer == "pass", null))]);
    }
}
