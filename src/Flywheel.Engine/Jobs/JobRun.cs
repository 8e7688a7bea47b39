using Flywheel.Core.Guarding;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Jobs;

/// <summary>A claimed job with what it is about.</summary>
/// <param name="Metric">Null when the metric version is gone.</param>
/// <param name="Span">Null when the span is gone.</param>
sealed record LoadedJob(Job Job, Metric? Metric, Span? Span);

/// <summary>How a job ended, and what is still owed to the budget.</summary>
/// <param name="PauseFor">The provider asked to be left alone for so long.</param>
sealed record JobOutcome(JobEnd End, Reservation? Owed = null, TimeSpan? PauseFor = null);

/// <param name="ActualUsd">What the call really cost.</param>
sealed record Reservation(double ExpectedUsd, double ActualUsd, DateTimeOffset At);

/// <summary>Takes one job to its end: an outcome, another attempt, or a dead letter.</summary>
sealed class JobRun(
    IJobStore jobs, ValidatorCache validators, IFaultClassifier faults, WorkerOptions options, TimeProvider clock, Random random)
{
    /// <exception cref="OperationCanceledException">The worker stops; the lease runs out by itself.</exception>
    public async Task<JobOutcome> RunAsync(LoadedJob hand, CancellationToken ct)
    {
        if (WithoutChecking(hand) is { } reason)
            return new(new JobEnd.Done(hand.Job, VerdictOf(hand, Finding.Skipped(reason), Version(hand), 0)));
        if (hand.Job.Attempts > options.MaxAttempts)
            return new(Dead(hand, Version(hand), $"gave up: the worker stopped {hand.Job.Attempts - 1} times during this check"));

        IValidator validator;
        try
        {
            validator = validators.Get(hand.Metric!);
        }
        catch (ValidatorSettingsException error)
        {
            return new(Dead(hand, Version(hand), $"the validator cannot be made: {error.Message}"));
        }
        return await CheckAsync(hand, validator, ct);
    }

    string? WithoutChecking(LoadedJob hand) => hand switch
    {
        { Metric: null } => "the metric version is gone",
        { Metric.State: MetricState.Retired } => "the metric is retired",
        { Span: null } => "the span is gone",
        _ => validators.WhyNot(hand.Metric, hand.Span.Content.Kind),
    };

    async Task<JobOutcome> CheckAsync(LoadedJob hand, IValidator validator, CancellationToken ct)
    {
        var content = hand.Span!.Content;
        if (hand.Metric!.Role == MetricRole.Guard && AlreadySaid(hand.Metric, content, validator) is { } said)
            return new(new JobEnd.Done(hand.Job, VerdictOf(hand, said.Finding, said.ValidatorVersion, 0)));
        var examinee = new Examinee(hand.Metric.Subject == MetricSubject.Input ? content.Input : content.Output, hand.Span);
        var reservation = (Reservation?)null;
        if (validators.CallsModel(hand.Metric))
        {
            var priced = validator as IPricedValidator;
            if (priced?.WithoutCall(examinee) is { } free)
                return new(new JobEnd.Done(hand.Job, VerdictOf(hand, free, validator.Version, 0)));
            if (validator is not ISelfPayingValidator { PaysItself: true })
                reservation = new(priced?.ExpectedCostUsd(examinee) ?? 0, 0, clock.GetUtcNow());
            if (reservation is not null
                && await jobs.ReserveJudgeCallAsync(hand.Job.Project, reservation.ExpectedUsd, reservation.At, ct) is { } limit)
                return new(new JobEnd.Done(hand.Job, VerdictOf(hand, Finding.Skipped($"budget exhausted: {limit}"), validator.Version, 0)));
        }

        var started = clock.GetTimestamp();
        try
        {
            var decision = await WithinTimeAsync(validator, examinee, hand.Job.Lane, ct);
            var verdict = VerdictOf(hand, decision.Finding, decision.Version, clock.GetElapsedTime(started).TotalMilliseconds);
            return new(new JobEnd.Done(hand.Job, verdict),
                reservation is null ? null : reservation with { ActualUsd = decision.Finding.CostUsd });
        }
        catch (Exception error) when (!ct.IsCancellationRequested)
        {
            var fault = error is OperationCanceledException
                ? new Fault(true, null, $"no answer within {Limit(hand.Job.Lane).TotalSeconds:0.#} s", MayHaveCost: true)
                : faults.Classify(error);
            return new(EndOf(hand, validator.Version, fault), fault.MayHaveCost ? null : reservation, fault.RetryAfter);
        }
    }

    /// <summary>
    /// What the guard said before the answer: of a text that it redacted, where a second look would find nothing, and of any other
    /// one if it would decide by the same rules now. A guard that could not check is asked again.
    /// </summary>
    static GuardFinding? AlreadySaid(Metric metric, NewSpan content, IValidator validator) =>
        GuardRecord.Find(content.Attributes, metric.Name) is { } said
            && (said.Action == GuardAction.Redact && said.Finding.Outcome is Outcome.Fail or Outcome.Error
                || said.Finding.Outcome is Outcome.Pass or Outcome.Fail or Outcome.Unsure && said.ValidatorVersion == validator.Version)
            ? said
            : null;

    async Task<Decision> WithinTimeAsync(IValidator validator, Examinee examinee, JobLane lane, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(Limit(lane), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        return await validator.DecideAsync(examinee, either.Token);
    }

    TimeSpan Limit(JobLane lane) => lane == JobLane.Judge ? options.JudgeTimeout : options.CodeTimeout;

    JobEnd EndOf(LoadedJob hand, string version, Fault fault)
    {
        if (!fault.Retryable)
            return Dead(hand, version, $"not retried: {fault.Reason}");
        var failures = Math.Max(1, hand.Job.Attempts);
        if (failures >= options.MaxAttempts)
            return Dead(hand, version, $"gave up after {failures} attempts: {fault.Reason}");
        double draw;
        lock (random)
            draw = random.NextDouble();
        return new JobEnd.Retry(hand.Job, clock.GetUtcNow() + options.Retry.Delay(failures, fault.RetryAfter, draw), fault.Reason);
    }

    JobEnd.Dead Dead(LoadedJob hand, string version, string reason) =>
        new(hand.Job, VerdictOf(hand, Finding.Error(reason), version, 0));

    string Version(LoadedJob hand) => hand.Metric is { } metric ? validators.VersionOf(metric) : "none";

    Verdict VerdictOf(LoadedJob hand, Finding finding, string version, double latencyMs) => new(
        hand.Job.Project, hand.Job.Span, hand.Metric?.Id ?? default, hand.Job.MetricVersion, version, finding, latencyMs,
        clock.GetUtcNow());
}
