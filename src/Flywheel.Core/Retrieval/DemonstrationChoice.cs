namespace Flywheel.Core.Retrieval;

/// <summary>Chooses a set for a prompt: relevant, covering the query's words, not repeating itself, within the quotas.</summary>
/// <remarks>
/// Greedy, as ALGORITHMS.md part D: at each step the row with the best score given those chosen. Departures: scores
/// are shares of the best relevance, so the weights mean the same for every query, and support (how far the
/// neighbourhood shares a row's answer) is a factor of relevance.
/// </remarks>
internal sealed class DemonstrationChoice
{
    // Rows looked at together. More bring no gain in accuracy and cost time (bench `accuracy`).
    private const int Pool = 50;

    private const int QuotaBatch = 16;

    // Temperature of the neighbourhood's vote, in cosine; flat between 0.04 and 0.12 in cross-validation.
    private const double SupportTemperature = 0.06;

    private readonly CandidateScan _scan;
    private readonly RetrievalPolicy _policy;
    private readonly QueryTerms _terms;
    private readonly int _poolSize;
    private readonly List<Candidate> _open = [];
    private readonly List<Chosen> _chosen = [];
    private readonly List<Quota> _quotas = [];
    private readonly Dictionary<string, int> _perAnswer = [];
    private readonly Dictionary<string, int> _perEndUser = [];
    private Dictionary<string, double> _support = [];
    private double _best;
    private ulong _covered;

    public DemonstrationChoice(CandidateScan scan, in RetrievalQuery query, RetrievalPolicy policy, Lexicon lexicon)
    {
        _scan = scan;
        _policy = policy;
        _terms = new(query.Text, lexicon);
        _poolSize = Math.Max(Pool, 3 * policy.Count);
    }

    public IReadOnlyList<RetrievedDemonstration> Choose()
    {
        var pool = _scan.Next(_poolSize, RowFilter.None);
        var exhausted = _scan.Exhausted;
        if (!_scan.ByRecency)
            _support = Support(pool);
        Open(pool);
        AddQuotas(exhausted);
        while (_chosen.Count < _policy.Count)
        {
            if (BestOpen() is { } next)
            {
                Take(next);
            }
            else if (_quotas.Find(quota => quota.Missing > 0) is { } unreachable)
            {
                // A cap (end user, answer) stands against the quota: the cap wins.
                unreachable.Missing = 0;
            }
            else if (exhausted)
            {
                break;
            }
            else
            {
                Open(_scan.Next(_poolSize, WithoutSaturated()));
                exhausted = _scan.Exhausted;
            }
        }

        return [.. PromptOrder().Select(Result)];
    }

    private void Open(List<Candidate> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (_scan.ByRecency)
            {
                candidate.Relevance = candidate.Recency;
            }
            else
            {
                candidate.Support = 1 + _policy.SupportWeight * _support.GetValueOrDefault(candidate.Answer);
                candidate.Relevance = Math.Pow(Math.Max(0, candidate.Similarity), _policy.SimilarityExponent)
                    * candidate.Recency * candidate.Disagreement * candidate.Support;
            }

            candidate.Terms = _terms.In(candidate.Segment.Terms(candidate.Row));
            _best = Math.Max(_best, candidate.Relevance);
            _open.Add(candidate);
        }

        // The best first: whoever cannot beat them is not even compared with what was chosen.
        _open.Sort((a, b) => b.Relevance.CompareTo(a.Relevance));
    }

    /// <summary>Share of the softmax vote that each answer has in the neighbourhood; newer rows say more.</summary>
    private static Dictionary<string, double> Support(List<Candidate> pool)
    {
        var shares = new Dictionary<string, double>();
        if (pool.Count == 0)
            return shares;

        var nearest = pool.Max(c => c.Similarity);
        var total = 0.0;
        foreach (var candidate in pool)
        {
            var vote = Math.Exp((candidate.Similarity - nearest) / SupportTemperature) * candidate.Recency;
            total += vote;
            shares[candidate.Answer] = shares.GetValueOrDefault(candidate.Answer) + vote;
        }

        if (total == 0)
            return [];
        foreach (var answer in shares.Keys)
            shares[answer] /= total;
        return shares;
    }

    private void AddQuotas(bool exhausted)
    {
        var answers = _scan.Answers;
        if (_policy.MinimumPerLabel > 0 && answers.Count * _policy.MinimumPerLabel <= _policy.Count)
        {
            foreach (var answer in answers)
                _quotas.Add(new(new RowFilter(Answer: answer), _policy.MinimumPerLabel));
        }

        if (_policy.Strategy == RetrievalStrategy.Both && _policy.Count >= 2)
        {
            _quotas.Add(new(new RowFilter(Fixed: true), 1));
            _quotas.Add(new(new RowFilter(Fixed: false), 1));
        }

        foreach (var quota in _quotas)
        {
            if (!exhausted && _open.Count(quota.Matches) < quota.Missing)
                Open(_scan.Next(QuotaBatch, quota.Rows));
            quota.Missing = Math.Min(quota.Missing, _open.Count(quota.Matches));
        }
    }

    private Candidate? BestOpen()
    {
        // Slots that quotas still claim; once no others are left, only rows that fill a quota are considered.
        var claimed = _quotas.Sum(quota => quota.Missing);
        var onlyQuotas = claimed > 0 && claimed >= _policy.Count - _chosen.Count;
        Candidate? best = null;
        var bestScore = 0.0;
        foreach (var candidate in _open)
        {
            // Redundancy only grows, so the score by what is known of it is a bound.
            if (best is not null && Score(candidate) < bestScore)
                continue;
            for (; candidate.ComparedWith < _chosen.Count; candidate.ComparedWith++)
                candidate.Redundancy = Math.Max(candidate.Redundancy, _chosen[candidate.ComparedWith].Meter.Cosine(candidate));
            var score = Score(candidate);
            if (best is not null && (score < bestScore || (score == bestScore && !Before(candidate, best))))
                continue;
            if (IsAllowed(candidate) && (!onlyQuotas || _quotas.Exists(quota => quota.Missing > 0 && quota.Matches(candidate))))
                (best, bestScore) = (candidate, score);
        }

        return best;
    }

    private double Score(Candidate candidate)
    {
        var relevance = _best > 0 ? candidate.Relevance / _best : 0;
        return _scan.ByRecency
            ? relevance
            : relevance
                + _policy.CoverageWeight * _terms.Share(candidate.Terms & ~_covered)
                - _policy.DiversityWeight * candidate.Redundancy;
    }

    private static bool Before(Candidate a, Candidate b) =>
        (a.ApprovedTicks, a.Similarity).CompareTo((b.ApprovedTicks, b.Similarity)) switch
        {
            > 0 => true,
            < 0 => false,
            _ => a.Id.CompareTo(b.Id) < 0,
        };

    private bool IsAllowed(Candidate candidate) =>
        (_policy.MaximumPerLabel is not { } ofAnswer || _perAnswer.GetValueOrDefault(candidate.Answer) < ofAnswer)
        && (_policy.MaximumPerEndUser is not { } ofUser || candidate.EndUser is not { } user
            || _perEndUser.GetValueOrDefault(user) < ofUser);

    private void Take(Candidate candidate)
    {
        _chosen.Add(new(candidate, Score(candidate), _terms.Share(candidate.Terms & ~_covered), candidate.Redundancy, new(candidate)));
        _open.Remove(candidate);
        _covered |= candidate.Terms;
        _perAnswer[candidate.Answer] = _perAnswer.GetValueOrDefault(candidate.Answer) + 1;
        if (candidate.EndUser is { } user)
            _perEndUser[user] = _perEndUser.GetValueOrDefault(user) + 1;
        foreach (var quota in _quotas)
        {
            if (quota.Missing > 0 && quota.Matches(candidate))
                quota.Missing--;
        }
    }

    private RowFilter WithoutSaturated() => new(
        WithoutAnswers: _policy.MaximumPerLabel is { } ofAnswer ? Full(_perAnswer, ofAnswer) : null,
        WithoutEndUsers: _policy.MaximumPerEndUser is { } ofUser ? Full(_perEndUser, ofUser) : null);

    private static HashSet<string> Full(Dictionary<string, int> counts, int limit) =>
        [.. counts.Where(entry => entry.Value >= limit).Select(entry => entry.Key)];

    /// <summary>The most similar last, where models look hardest; under a label quota, answers alternate on the way there.</summary>
    private List<Chosen> PromptOrder()
    {
        var rest = _scan.ByRecency
            ? _chosen.OrderByDescending(c => c.Row.ApprovedTicks).ThenBy(c => c.Row.Id).ToList()
            : _chosen.OrderByDescending(c => c.Row.Similarity).ThenBy(c => c.Row.Id).ToList();
        if (_policy.MinimumPerLabel > 0)
        {
            var alternating = new List<Chosen>(rest.Count);
            while (rest.Count > 0)
            {
                var next = alternating.Count == 0 ? 0 : Math.Max(0, rest.FindIndex(c => c.Row.Answer != alternating[^1].Row.Answer));
                alternating.Add(rest[next]);
                rest.RemoveAt(next);
            }

            rest = alternating;
        }

        rest.Reverse();
        return rest;
    }

    private static RetrievedDemonstration Result(Chosen chosen)
    {
        var row = chosen.Row;
        return new(
            row.Id, row.Segment.Texts[row.Row], row.Answer, row.IsFixed, new(row.ApprovedTicks, TimeSpan.Zero),
            new(row.Similarity, row.Recency, row.Disagreement, row.Support, row.Relevance, chosen.Coverage, chosen.Redundancy,
                chosen.Score));
    }

    private sealed record Chosen(Candidate Row, double Score, double Coverage, double Redundancy, RedundancyMeter Meter);

    /// <summary>Rows of a kind that the set should hold.</summary>
    private sealed class Quota(RowFilter rows, int missing)
    {
        public RowFilter Rows { get; } = rows;

        /// <summary>How many more; never more than the pool has.</summary>
        public int Missing { get; set; } = missing;

        public bool Matches(Candidate candidate) => Rows.Allows(candidate.Segment, candidate.Row);
    }
}
