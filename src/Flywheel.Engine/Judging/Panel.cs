using System.Security.Cryptography;
using System.Text;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Judging;

/// <summary>The votes of simulated annotators: one model, asked with different examples.</summary>
/// <remarks>After Jung et al., "Trust or Escalate" (arXiv 2407.18370): the share of the vote says more than a model's own word.</remarks>
sealed class Panel(int seats)
{
    readonly List<JudgeAnswer> _answers = [];

    public IReadOnlyList<JudgeAnswer> Answers => _answers;

    public double CostUsd => _answers.Sum(answer => answer.CostUsd);

    public void Add(JudgeAnswer answer) => _answers.Add(answer);

    /// <summary>The votes still to come cannot change the verdict.</summary>
    public bool IsDecided
    {
        get
        {
            var counts = Counts();
            var left = seats - _answers.Count;
            return left <= 0 || counts is [var first, ..] && first.Votes > (counts.Count > 1 ? counts[1].Votes : 0) + left;
        }
    }

    /// <summary>The verdict of most, with the share of the votes cast; a tie is unsure. An error when no reply could be read.</summary>
    public Finding Finding()
    {
        var counts = Counts();
        if (counts.Count == 0)
            return Core.Metrics.Finding.Error(_answers[0].Problem!) with { CostUsd = CostUsd, Model = _answers[0].Model };
        var isTie = counts.Count > 1 && counts[0].Votes == counts[1].Votes;
        var verdict = isTie ? Outcome.Unsure : counts[0].Verdict;
        var votes = counts.Sum(each => each.Votes);
        var spokesman = _answers.First(answer => answer.Judgement is { } it && (isTie || it.Verdict == verdict));
        var said = spokesman.Judgement!;
        return new(
            verdict, null,
            isTie ? $"{counts[0].Votes} of {votes} annotators said {Wire.Name(counts[0].Verdict)}, as many {Wire.Name(counts[1].Verdict)}"
                : said.Critique.Length > 0 ? said.Critique : null,
            CostUsd: CostUsd, Model: spokesman.Model)
        {
            RawConfidence = seats == 1 ? said.Confidence : (double)counts[0].Votes / votes,
        };
    }

    List<(Outcome Verdict, int Votes)> Counts() =>
    [
        .. _answers.Where(answer => answer.Judgement is not null).GroupBy(answer => answer.Judgement!.Verdict)
            .Select(group => (group.Key, group.Count())).OrderByDescending(each => each.Item2).ThenBy(each => each.Key),
    ];

    /// <summary>The examples of one seat: some of the pool, outcomes as even as it allows, in the pool's order.</summary>
    /// <remarks>Depends on the text and the seat only, so a second check shows the same.</remarks>
    public static IReadOnlyList<JudgeExample> Examples(IReadOnlyList<JudgeExample> pool, int wanted, string text, int seat)
    {
        if (pool.Count <= wanted)
            return pool;
        var order = pool.OrderBy(
            example => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{seat}\n{example.Id}\n{text}"))),
            StringComparer.Ordinal);
        var byOutcome = order.GroupBy(example => example.Passed).ToDictionary(group => group.Key, group => new Queue<JudgeExample>(group));
        var chosen = new HashSet<Guid>();
        for (var passed = seat % 2 == 0; chosen.Count < wanted; passed = !passed)
            if ((byOutcome.GetValueOrDefault(passed) ?? byOutcome[!passed]) is var queue
                && (queue.Count > 0 || byOutcome.TryGetValue(!passed, out queue)))
                chosen.Add(queue.Dequeue().Id);
        return [.. pool.Where(example => chosen.Contains(example.Id))];
    }
}
