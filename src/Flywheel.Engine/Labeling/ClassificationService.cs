using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;

namespace Flywheel.Engine.Labeling;

/// <summary>How well classifiers do, from corrections and later feedback.</summary>
public sealed class ClassificationService(IClassificationStore classification)
{
    /// <summary>Number of cases from which the scores mean something.</summary>
    const int Enough = 20;

    /// <param name="feedback">Name of the feedback whose value is the right class.</param>
    /// <param name="since">Only spans that started at or after this time; null for all.</param>
    /// <exception cref="RequestException"><c>unknown_node</c> if the node has no spans in the time.</exception>
    public async Task<ClassificationReport> OfNodeAsync(
        Caller caller, string node, string feedback, DateTimeOffset? since, CancellationToken ct)
    {
        var found = await classification.OfNodeAsync(caller.Project, node, feedback, since, ct);
        if (found.Spans == 0)
            throw RequestException.NotFound("node", $"Node `{node}` has no spans{(since is null ? "" : " since then")}: send some first.");
        var scores = Classification.Of(found.Cells);
        return new(node, found.Spans, found.Sources, scores, Note(scores, found.Sources));
    }

    static string? Note(Classification scores, ClassSources sources)
    {
        if (scores.Cases == 0)
            return "No right class is known yet: correct or confirm outputs in review, "
                + "or send feedback named `class` with the right class as its value.";
        if (scores.Cases < Enough)
            return $"Not enough cases: {scores.Cases} with a known class, about {Enough - scores.Cases} more before the numbers mean much.";
        return sources.Corrections > 0
            ? "Corrected outputs are those that people looked at, often the worst ones: "
                + "unless they were drawn at random, all traffic does better than this."
            : null;
    }
}
