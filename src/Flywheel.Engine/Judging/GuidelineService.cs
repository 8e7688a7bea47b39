using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Models;

namespace Flywheel.Engine.Judging;

/// <summary>Lists, proposes, approves and removes rules for the judges of a metric.</summary>
public sealed class GuidelineService(
    IMetricStore metrics, IGuidelineStore guidelines, GuidelineDistillation distillation, TimeProvider clock)
{
    /// <summary>Oldest first.</summary>
    /// <param name="state"><c>proposed</c>, <c>approved</c> or <c>removed</c>; null for all.</param>
    public async Task<IReadOnlyList<Guideline>> ListAsync(Caller caller, string metric, string? state, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        return await guidelines.ListAsync(caller.Project, found.Id, Wire.Choice<GuidelineState>("state", state), ct);
    }

    /// <summary>Proposes a rule of the caller's own.</summary>
    public async Task<Guideline> ProposeAsync(Caller caller, string metric, string text, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        if (text.Trim() is not { Length: > 0 and <= Guideline.MaxLength } words)
            throw RequestException.BadField(
                "text", $"`text` must have 1 to {Guideline.MaxLength} characters: write one rule in a sentence or two.");
        var at = clock.GetUtcNow();
        var guideline = new Guideline(
            Guid.CreateVersion7(at), caller.Project, found.Id, words, [], GuidelineState.Proposed, caller.Actor, at);
        await guidelines.AddAsync([guideline], ct);
        return guideline;
    }

    /// <summary>Lets a model distil rules from the labels that the judge's verdicts contradict, and proposes them.</summary>
    /// <param name="model">Who distils; null for the metric's own judge.</param>
    public async Task<IReadOnlyList<Guideline>> DistilAsync(Caller caller, string metric, string? model, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        try
        {
            return await distillation.ProposeAsync(found, model, caller.Actor, ct);
        }
        catch (ModelSetupException error)
        {
            throw RequestException.BadField("model", error.Message);
        }
        catch (Exception error) when (error is not (OperationCanceledException or RequestException)
            && ModelFault.From(error, clock, ct) is var fault && fault.Kind != ModelFaultKind.Unknown)
        {
            throw new RequestException(RequestErrorKind.UpstreamFailed, "model_failed", $"The model could not be asked: {fault.Reason}")
            {
                RetryAfter = fault.RetryAfter,
            };
        }
    }

    /// <summary>Puts a rule into the prompts of the metric's judges.</summary>
    public async Task<Guideline> ApproveAsync(Caller caller, string metric, Guid id, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        return await guidelines.ApproveAsync(caller.Project, found.Id, id, caller.Actor, clock.GetUtcNow(), ct)
            ?? throw Unknown(metric, id);
    }

    /// <summary>Takes a rule out of the prompts of the metric's judges.</summary>
    public async Task<Guideline> RemoveAsync(Caller caller, string metric, Guid id, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        return await guidelines.RemoveAsync(caller.Project, found.Id, id, caller.Actor, clock.GetUtcNow(), ct) ?? throw Unknown(metric, id);
    }

    static RequestException Unknown(string metric, Guid id) =>
        RequestException.NotFound("guideline", $"The metric `{metric}` has no guideline {id}.");
}
