using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Labeling;

/// <summary>Corrections of outputs by people.</summary>
public sealed class CorrectionService(
    ICorrectionStore corrections, IDemonstrationStore demonstrations, ISpanStore spans, TimeProvider clock)
{
    /// <summary>Fixes or confirms an output; a pending demonstration comes of it.</summary>
    /// <exception cref="RequestException">
    /// <c>invalid_corrected_output</c>, <c>unknown_span</c>; <c>correction_conflict</c> if the id names another one.
    /// </exception>
    public async Task<CorrectionOfSpan> AddAsync(Caller caller, CorrectionRequest request, CancellationToken ct)
    {
        var corrected = RequestField.OptionalText("corrected_output", request.CorrectedOutput) ?? throw RequestException.BadField(
            "corrected_output",
            "`corrected_output` is missing: write what the node should have answered, or repeat the output to confirm it.");
        var span = await spans.GetAsync(caller.Project, request.TraceId, request.SpanId, ct);
        var correction = new Correction(
            request.Id ?? Guid.CreateVersion7(), caller.Project, span.Id, request.WentWrong, corrected, request.Reasoning,
            request.Author ?? caller.Actor, request.GivenAt ?? clock.GetUtcNow());
        IdConflict.Check(await corrections.AddAsync(correction, ct), "correction", correction.Id);
        return new(correction, span.Key, await demonstrations.OfSourceAsync(caller.Project, correction.Id, ct));
    }
}
