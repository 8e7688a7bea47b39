using Flywheel.Core.Guarding;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Guarding;

/// <summary>Asks a project's guards about an input before a model sees it.</summary>
/// <remarks>
/// Code first, then judges, and those only about an input that code does not block; judges get the redacted text. Only a failed
/// guard with the action <c>block</c>, or one that cannot check and says so in <c>on_error</c>, blocks.
/// </remarks>
/// <param name="jobs">Keeps the judges' budget; null leaves judges unlimited.</param>
public sealed class InputGuard(
    ActiveGuards guards, ValidatorRegistry registry, IFaultClassifier faults, TimeProvider clock, IJobStore? jobs = null,
    GuardOptions? options = null)
{
    readonly GuardOptions _options = options ?? new();
    readonly ValidatorCache _validators = new(registry);

    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<GuardAnswer> CheckAsync(ProjectId project, GuardQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        var started = clock.GetTimestamp();
        Metric[] applicable =
        [
            .. (await guards.OfAsync(project, ct)).Where(metric => metric.Subject == MetricSubject.Input
                && Applicability.WhyNotAt(metric, query.Node, query.Kind) is null && IsAbout(metric, query.EndUser, query.Attributes)
                && _validators.WhyNot(metric, query.Kind) is null),
        ];
        if (applicable.Length == 0)
            return GuardAnswer.Unguarded(query.Input);

        var judges = applicable.ToLookup(_validators.CallsModel);
        var findings = new List<GuardFinding>(applicable.Length);
        var blocked = false;
        foreach (var metric in judges[false])
            blocked |= await AddAsync(metric, query.Input);
        var redacted = new Redaction(query.Input, findings.SelectMany(finding => finding.Redacts)).Text;
        if (!blocked)
            foreach (var (metric, decision) in await Task.WhenAll(judges[true].Select(async metric =>
                (metric, await DecideAsync(project, metric, query with { Input = redacted }, ct)))))
                blocked |= Add(metric, decision);

        var decided = blocked ? GuardDecision.Block
            : findings.Any(finding => finding.Redacts.Count > 0) ? GuardDecision.Redact
            : GuardDecision.Allow;
        return new(decided, redacted, findings, clock.GetElapsedTime(started).TotalMilliseconds);

        async Task<bool> AddAsync(Metric metric, string input) =>
            Add(metric, await DecideAsync(project, metric, query with { Input = input }, ct));

        bool Add(Metric metric, Decision decision)
        {
            var action = metric.OnFail ?? GuardAction.Flag;
            findings.Add(new(metric.Name, decision.Version, action, decision.Finding));
            return decision.Finding.Outcome switch
            {
                Outcome.Fail => action == GuardAction.Block,
                Outcome.Error => metric.OnError == GuardFault.Block,
                _ => false,
            };
        }
    }

    async Task<Decision> DecideAsync(ProjectId project, Metric metric, GuardQuery query, CancellationToken ct)
    {
        try
        {
            var validator = _validators.Get(metric);
            var examinee = new Examinee(query.Input, SpanOf(project, query), query.Input);
            return _validators.CallsModel(metric)
                ? await AskJudgeAsync(project, validator, examinee, ct)
                : await WithinAsync(validator, examinee, _options.CodeTimeout, ct);
        }
        catch (Exception error) when (!ct.IsCancellationRequested)
        {
            var reason = error is OperationCanceledException or TimeoutException
                ? "no answer in time"
                : error is ValidatorSettingsException ? $"the validator cannot be made: {error.Message}" : faults.Classify(error).Reason;
            return new(Finding.Error(reason), _validators.VersionOf(metric));
        }
    }

    async Task<Decision> AskJudgeAsync(ProjectId project, IValidator validator, Examinee examinee, CancellationToken ct)
    {
        var priced = validator as IPricedValidator;
        if (priced?.WithoutCall(examinee) is { } free)
            return new(free, validator.Version);
        var (expected, at) = (priced?.ExpectedCostUsd(examinee) ?? 0, clock.GetUtcNow());
        var books = validator is ISelfPayingValidator { PaysItself: true } ? null : jobs;
        if (books is not null && await books.ReserveJudgeCallAsync(project, expected, at, ct) is { } limit)
            return new(Finding.Skipped($"budget exhausted: {limit}"), validator.Version);
        var decision = await WithinAsync(validator, examinee, _options.JudgeTimeout, ct);
        if (books is not null && decision.Finding.CostUsd != expected)
            await books.SettleJudgeCallAsync(project, expected, decision.Finding.CostUsd, at, ct);
        return decision;
    }

    async Task<Decision> WithinAsync(IValidator validator, Examinee examinee, TimeSpan limit, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        var deciding = validator.DecideAsync(examinee, either.Token);
        // What a plug-in does with the token is its own affair; the caller is not kept waiting.
        return deciding.IsCompleted ? await deciding : await deciding.AsTask().WaitAsync(either.Token);
    }

    /// <summary>What the span will look like, as far as it is known before the call; it has no row number yet.</summary>
    Span SpanOf(ProjectId project, GuardQuery query)
    {
        var now = clock.GetUtcNow();
        return new(default, project, new()
        {
            Key = new("guard", "guard"), Node = query.Node, Kind = query.Kind, Input = query.Input, StartedAt = now,
            Session = query.Session,
            EndUser = query.EndUser, Attributes = query.Attributes,
        }, now);
    }

    internal static bool IsAbout(Metric metric, string? endUser, string? attributes) =>
        metric.Segments is null || Segments.WhyNot(metric, Segments.Of(endUser, attributes)) is null;
}
