using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Server.Cli.Demo;

/// <summary>
/// Plays the person who works through the review queue, by the expected answers that come with the rows: only for what the queue
/// shows, and with nothing that a person would not see.
/// </summary>
sealed class DemoPerson(IFlywheelStore store, ProjectId project, IDemoScenario scenario, TimeProvider clock)
{
    const string Name = "expected answers";

    readonly HashSet<SpanId> _seen = [];

    public int Answered { get; private set; }
    public int Fixed { get; private set; }

    /// <summary>Fixes or confirms the outputs of these items.</summary>
    public async Task AnswerAsync(IReadOnlyList<ReviewItem> items, CancellationToken ct)
    {
        var spans = await store.Spans.GetAsync(project, [.. items.Select(item => item.Span).Distinct()], ct);
        foreach (var span in spans)
        {
            if (!_seen.Add(span.Id) || scenario.ExpectedOutput(span) is not { } expected)
                continue;
            var right = string.Equals(span.Content.Output?.Trim(), expected.Trim(), StringComparison.Ordinal);
            await store.Corrections.AddAsync(new Correction(
                Guid.CreateVersion7(), project, span.Id, right ? null : "The expected answer is another one.",
                right ? span.Content.Output! : expected, null, Name, clock.GetUtcNow()), ct);
            Answered++;
            Fixed += right ? 0 : 1;
        }
    }
}
