using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Proposals;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>One turn of a search: asks the judges, keeps how far it is, and ends with a proposal or without.</summary>
sealed class AlignmentSearch(
    IFlywheelStore store, JudgeServices services, GuidelineDistillation distillation, IEmbedder embedder, IFaultClassifier faults,
    TimeProvider clock, AlignmentRun run, string worker, TimeSpan lease, int concurrency, Action<int, int>? report) : IDisposable
{
    static readonly TimeSpan Between = TimeSpan.FromSeconds(2);

    /// <summary>Times that a call which failed is made again within a turn.</summary>
    const int Retries = 3;

    /// <summary>Texts that could not be judged at all, from which on the search ends: it would compare faults.</summary>
    const int MostUnjudged = 10;

    readonly SemaphoreSlim _reporting = new(1);
    readonly Dictionary<int, IReadOnlyList<ProposedGuideline>> _rules = new(run.Plan.Rules);
    readonly List<string> _notes = [];
    AlignmentMaterial _material = null!;
    AlignmentJudges _judges = null!;
    IReadOnlyList<JudgeCandidate> _candidates = [];
    IReadOnlyList<Finding> _present = [];
    IReadOnlyList<Guideline> _known = [];
    DateTimeOffset _reported;
    int _done, _total, _unjudged;
    double _cost, _spent;

    /// <summary>Texts to judge, were each asked about once, and rules to distil.</summary>
    public static int Steps(LabelSplit split, IReadOnlyList<JudgeCandidate> candidates) =>
        candidates.Count * split.Fit.Count + 2 * split.Tested + (candidates.Any(each => each.Guidelines) ? LabelSplit.Folds + 1 : 0);

    public void Dispose() => _reporting.Dispose();

    public async Task<AlignmentRun?> RunAsync(
        AlignmentMaterial material, IReadOnlyList<JudgeCandidate> candidates, IReadOnlyList<string> notes, CancellationToken ct)
    {
        (_material, _candidates) = (material, candidates);
        _notes.AddRange(notes);
        _total = Steps(material.Split, candidates);
        _known = await store.Guidelines.ListAsync(run.Project, run.Metric, null, ct);
        var approved = _known.Where(each => each.State == GuidelineState.Approved).OrderBy(each => each.ApprovedAt).ThenBy(each => each.Id)
            .ToArray();
        _judges = await AlignmentJudges.MakeAsync(
            material, candidates, [.. approved.Select(each => each.Text)], services, embedder, store.Demonstrations, run.CreatedAt,
            part => _rules[part], ct);
        if (_judges.LeftOut > 0)
            _notes.Add(
                $"{_judges.LeftOut} of {material.Pool.Count} approved examples were not shown: "
                + "they come from held-out traces or resemble held-out texts.");

        var trial = await AlignmentTrial.RunAsync(
            material.Split, candidates.Count, (candidate, cases, folds) => AskAsync(candidate, cases, folds, ct));
        await ReportAsync(always: true, ct);
        var evidence = Evidence(trial);
        var proposal = trial.Promotes ? Proposal(trial, evidence, [.. approved.Select(each => each.Id).Order()]) : null;
        return await store.Alignments.EndAsync(run, worker, Ending(trial), evidence, proposal, clock.GetUtcNow(), ct)
            ?? throw new AlignmentLost();
    }

    async Task<IReadOnlyList<Outcome>> AskAsync(
        int candidate, IReadOnlyList<AlignmentCase> cases, IReadOnlyList<int>? folds, CancellationToken ct)
    {
        if (_candidates[candidate].Guidelines)
            foreach (var part in folds?.Distinct().Order() ?? (IEnumerable<int>)[AlignmentJudges.HeldOut])
                await DistilAsync(part, ct);
        var findings = new Finding[cases.Count];
        Exception? trouble = null;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, cases.Count),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, concurrency), CancellationToken = ct },
            async (i, _) =>
            {
                // No new calls after trouble; those under way are paid for and come to their end.
                if (Volatile.Read(ref trouble) is not null)
                    return;
                try
                {
                    findings[i] = await JudgeAsync(_judges.Of(candidate, folds?[i] ?? AlignmentJudges.HeldOut), cases[i], ct);
                    Interlocked.Increment(ref _done);
                    lock (_reporting)
                        _cost += findings[i].CostUsd;
                    await ReportAsync(always: false, ct);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    Interlocked.CompareExchange(ref trouble, error, null);
                }
            });
        await ReportAsync(always: true, ct);
        if (trouble is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(trouble);
        if (candidate == 0 && folds is not null)
            _present = findings;
        return [.. findings.Select(finding => finding.Outcome)];
    }

    async Task<Finding> JudgeAsync(ISelfPayingValidator judge, AlignmentCase of, CancellationToken ct)
    {
        if (_material.Spans.GetValueOrDefault(of.Span) is not { } span)
            return Finding.Skipped("the span is gone");
        var examinee = new Examinee(_material.Text(of), span);
        if (judge.WithoutCall(examinee) is { } free)
            return free;
        for (var attempt = 0; ; attempt++)
            try
            {
                var finding = await judge.CheckAsync(examinee, ct);
                return finding.Outcome != Outcome.Skipped ? finding : throw Exhausted(finding.Reason!);
            }
            catch (Exception error) when (error is not (AlignmentPause or OperationCanceledException))
            {
                var fault = faults.Classify(error);
                if (!fault.Retryable)
                {
                    if (Interlocked.Increment(ref _unjudged) > MostUnjudged)
                        throw new AlignmentFailure($"more than {MostUnjudged} texts could not be judged: {fault.Reason}");
                    return Finding.Error(fault.Reason);
                }
                if (attempt >= Retries)
                    throw new AlignmentPause(
                        $"the judge's model cannot be reached: {fault.Reason}", clock.GetUtcNow() + AlignmentPause.After(run.Attempts),
                        isFault: true);
                await Task.Delay(fault.RetryAfter ?? TimeSpan.FromSeconds(1 << attempt), clock, ct);
            }
    }

    async Task DistilAsync(int part, CancellationToken ct)
    {
        if (_rules.ContainsKey(part))
            return;
        var cases = _judges.Disagreements(_present, part);
        IReadOnlyList<ProposedGuideline> rules = [];
        var whom = distillation.Distiller(_material.Metric, run.Plan.Model)!;
        for (var attempt = 0; cases.Count > 0; attempt++)
            try
            {
                // What a person removed is not proposed again.
                (rules, var cost) = await distillation.DistilAsync(
                    _material.Metric, whom, cases, [.. _known.Select(each => each.Text)], ct);
                _cost += cost;
                break;
            }
            catch (RequestException error) when (error.Code == "budget_exhausted")
            {
                throw Exhausted(error.Message);
            }
            catch (RequestException error)
            {
                if (attempt < 1)
                    continue;
                _notes.Add($"For one part of the labels no rules were distilled. {error.Message}");
                break;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                var fault = faults.Classify(error);
                if (!fault.Retryable)
                    throw new AlignmentFailure($"the model that distils rules failed: {fault.Reason}");
                if (attempt >= Retries)
                    throw new AlignmentPause(
                        $"the model that distils rules cannot be reached: {fault.Reason}",
                        clock.GetUtcNow() + AlignmentPause.After(run.Attempts), isFault: true);
                await Task.Delay(fault.RetryAfter ?? TimeSpan.FromSeconds(1 << attempt), clock, ct);
            }
        _rules[part] = rules;
        Interlocked.Increment(ref _done);
        await ReportAsync(always: true, ct);
    }

    AlignmentPause Exhausted(string reason) =>
        new($"{reason}; it goes on with the next UTC day, or sooner when asked after the limit was raised",
            new DateTimeOffset(clock.GetUtcNow().UtcDateTime.Date.AddDays(1), TimeSpan.Zero), isFault: false);

    async Task ReportAsync(bool always, CancellationToken ct)
    {
        report?.Invoke(_done, _total);
        if (!always && clock.GetUtcNow() - _reported < Between)
            return;
        await _reporting.WaitAsync(ct);
        try
        {
            var now = clock.GetUtcNow();
            if (!always && now - _reported < Between)
                return;
            double cost;
            lock (_reporting)
                cost = _cost;
            if (!await store.Alignments.ReportAsync(
                run, worker, run.Plan with { Rules = _rules }, _done, _total, cost - _spent, now + lease, ct))
                throw new AlignmentLost();
            (_spent, _reported) = (cost, now);
        }
        finally
        {
            _reporting.Release();
        }
    }

    AlignmentEvidence Evidence(TrialResult trial) => new(
        _material.Metric.Number, _material.Split.Fit.Count + _material.Split.HeldOut.Count, _material.Split.Fit.Count,
        _material.Split.HeldOut.Count, _material.Split.Tested,
        [.. trial.Scores.Select(
            score => new AlignmentCandidate(_candidates[score.Candidate].Name, score.Balanced, score.Low, score.Counts))],
        trial.Chosen == 0 ? null : _candidates[trial.Chosen].Name, trial.Promotes, trial.Test, trial.Old, trial.New,
        _candidates[trial.Chosen].Guidelines ? _rules.GetValueOrDefault(AlignmentJudges.HeldOut, []) : [], run.CostUsd + _cost, _notes);

    string Ending(TrialResult trial) => trial.Test is not { } test
        ? "no candidate is ahead of the present judge"
        : string.Create(CultureInfo.InvariantCulture,
            $"`{_candidates[trial.Chosen].Name}` was ahead; on {test.Labels} later labels it alone was right {test.NewOnly:0.#} times, "
                + $"the present judge alone {test.OldOnly:0.#} times (probability {Math.Min(test.Probability, 0.999):0.###} of being "
                + $"better): ")
            + (trial.Promotes ? "proposed" : "not enough to propose it");

    NewProposal Proposal(TrialResult trial, AlignmentEvidence evidence, IReadOnlyList<Guid> approved)
    {
        var chosen = _candidates[trial.Chosen];
        var test = trial.Test!;
        var change = new MetricChange(chosen.ChangesSettings ? chosen.Of(_material.Metric.Validator) : null, evidence.Guidelines);
        string?[] what =
        [
            chosen.Examples is { } count ? $"shown {count} examples" : null,
            chosen.Reference is { } path ? $"shown the reference answer at `{path}`" : null,
            evidence.Guidelines.Count switch { 0 => null, 1 => "given a new guideline", var rules => $"given {rules} new guidelines" },
        ];
        return new(
            ProposalKind.Metric, ProposalAction.Change, _material.Metric.Name,
            string.Create(CultureInfo.InvariantCulture,
                $"The judge of `{_material.Metric.Name}` is {string.Join(", ", what.Where(part => part is not null))}: alone right on "
                    + $"{test.NewOnly:0.#} of {test.Labels} later labels, alone wrong on {test.OldOnly:0.#}."),
            ProposalJson.Write(new MetricBase(run.MetricVersion.Value, approved)), ProposalJson.Write(change), ProposalJson.Write(evidence),
            run.Author);
    }
}
