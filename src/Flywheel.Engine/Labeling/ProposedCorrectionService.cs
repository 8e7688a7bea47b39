using System.Security.Cryptography;
using System.Text;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Proposals;

namespace Flywheel.Engine.Labeling;

/// <summary>
/// Corrections that agents propose: pending demonstrations, which a person approves or recalls. They are no person's corrections.
/// </summary>
public sealed class ProposedCorrectionService(IDemonstrationStore demonstrations, ISpanStore spans, TimeProvider clock)
{
    /// <summary>Proposals of one agent that nobody has decided about.</summary>
    const int MostPending = 500;

    const int MostOutput = 200_000;
    const int MostReason = 4_000;

    /// <exception cref="RequestException">
    /// <c>scope_missing</c>, <c>invalid_corrected_output</c>, <c>invalid_reason</c>, <c>unknown_span</c>, <c>no_input</c>,
    /// <c>too_many_open</c>.
    /// </exception>
    public async Task<ProposedCorrection> ProposeAsync(Caller caller, ProposedCorrectionRequest request, CancellationToken ct)
    {
        var author = AgentAuthor.Of(caller);
        var corrected = RequestField.Text("corrected_output", request.CorrectedOutput, MostOutput);
        var reason = RequestField.Text("reason", request.Reason, MostReason);
        var span = await spans.GetAsync(caller.Project, request.TraceId, request.SpanId, ct);
        if (span.Content.Input is not { } input)
            throw new RequestException(
                RequestErrorKind.Conflict, "no_input", "The span has no input, so its output cannot be an example for others.", "span_id");
        if (corrected == span.Content.Output)
            throw RequestException.BadField("corrected_output",
                "`corrected_output` is the output as it was: propose what should be different.");
        // The same proposal of the same agent has the same id, so that a repeat changes nothing.
        var content = $"correction\n{caller.Project.Value}\n{author}\n{span.Id.Value}\n{corrected}";
        var id = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(content)).AsSpan(0, 16));
        var added = await demonstrations.ProposeAsync(
            new Demonstration(
                id, caller.Project, DemonstrationPurpose.Task, span.Content.Node, input, corrected, span.Content.Output, reason, 1,
                span.Content.EndUser, span.Id.Value, DemonstrationState.Pending, author, clock.GetUtcNow(), null, null, null, null),
            MostPending, ct)
            ?? throw new RequestException(
                RequestErrorKind.RateLimited, "too_many_open",
                $"You have {MostPending} proposed corrections that nobody has decided about: wait until people have.");
        return new(id, added);
    }
}
