using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;

namespace Flywheel.Server.Features.Judging;

/// <param name="Text">A rule of your own; left out: a model distils rules from the labels that the judge's verdicts contradict.</param>
/// <param name="Model">Who distils; left out: the metric's own judge.</param>
public sealed record GuidelineBody(string? Text = null, string? Model = null, string? Author = null);

public sealed record AuthorBody(string? Author = null);

/// <param name="Labels">Ids of the labels that it came from.</param>
public sealed record GuidelineView(
    Guid Id, string Text, IReadOnlyList<Guid> Labels, string State, string Author, DateTimeOffset CreatedAt, string? ApprovedBy,
    DateTimeOffset? ApprovedAt, string? RemovedBy, DateTimeOffset? RemovedAt)
{
    public static GuidelineView Of(Guideline it) => new(
        it.Id, it.Text, it.Labels, Wire.Name(it.State), it.Author, it.CreatedAt, it.ApprovedBy, it.ApprovedAt, it.RemovedBy, it.RemovedAt);
}

public sealed record GuidelineList(IReadOnlyList<GuidelineView> Guidelines)
{
    public static GuidelineList Of(IEnumerable<Guideline> guidelines) => new([.. guidelines.Select(GuidelineView.Of)]);
}
