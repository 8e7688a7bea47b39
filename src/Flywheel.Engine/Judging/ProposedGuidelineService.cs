using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Proposals;

namespace Flywheel.Engine.Judging;

/// <summary>Rules for judges that agents propose; a person approves them.</summary>
public sealed class ProposedGuidelineService(IMetricStore metrics, IGuidelineStore guidelines, TimeProvider clock)
{
    /// <summary>Proposals of one agent for one metric that nobody has decided about.</summary>
    const int MostProposed = 100;

    /// <returns>Stored, or repeated if the metric has the same rule in any state.</returns>
    /// <exception cref="RequestException">
    /// <c>scope_missing</c>, <c>invalid_text</c>, <c>unknown_metric</c>, <c>too_many_open</c>.
    /// </exception>
    public async Task<InsertResult> ProposeAsync(Caller caller, string metric, string text, CancellationToken ct)
    {
        var author = AgentAuthor.Of(caller);
        var rule = RequestField.Text("text", text, Guideline.MaxLength).Trim();
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        var known = await guidelines.ListAsync(caller.Project, found.Id, null, ct);
        if (known.Any(each => each.Text == rule))
            return InsertResult.Repeated;
        if (known.Count(each => each.State == GuidelineState.Proposed && each.Author == author) >= MostProposed)
            throw new RequestException(
                RequestErrorKind.RateLimited, "too_many_open",
                $"You have {MostProposed} proposed guidelines that nobody has decided about: wait until people have.");
        var at = clock.GetUtcNow();
        await guidelines.AddAsync(
            [new(Guid.CreateVersion7(at), caller.Project, found.Id, rule, [], GuidelineState.Proposed, author, at)], ct);
        return InsertResult.Stored;
    }
}
