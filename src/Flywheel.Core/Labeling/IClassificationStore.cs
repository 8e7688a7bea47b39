using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;

namespace Flywheel.Core.Labeling;

/// <summary>Where the right class of a span came from.</summary>
/// <param name="Corrections">A person corrected or confirmed the output: the strongest source.</param>
/// <param name="Feedback">The application named it later.</param>
public sealed record ClassSources(long Corrections, long Feedback);

/// <param name="Cells">Right class by given class, both without white space around them.</param>
public sealed record NodeConfusion(IReadOnlyList<ConfusionCell> Cells, ClassSources Sources, long Spans);

public interface IClassificationStore
{
    /// <summary>Spans of a node with a known right class: the newest correction, else the newest feedback of the name given.</summary>
    /// <param name="feedback">Name of the feedback whose value is a class.</param>
    /// <param name="since">Only spans that started at or after this time; null for all.</param>
    Task<NodeConfusion> OfNodeAsync(ProjectId project, string node, string feedback, DateTimeOffset? since, CancellationToken ct);
}
