using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Labeling;

/// <summary>Feedback: what the application learned of an answer.</summary>
public sealed class FeedbackService(IFeedbackStore feedback, IDemonstrationStore demonstrations, ISpanStore spans, TimeProvider clock)
{
    /// <summary>Name of feedback that is a text about the answer.</summary>
    const string Comment = "comment";

    /// <summary>Name of feedback that is the answer as it should have been.</summary>
    const string Corrected = "demonstration";

    /// <exception cref="RequestException">
    /// <c>invalid_name</c>, <c>invalid_value</c>, <c>invalid_trace_id</c> unless it names one thing, <c>unknown_trace</c>,
    /// <c>unknown_span</c>, <c>unknown_session</c>, <c>unknown_response</c>; <c>feedback_conflict</c> if the id names other feedback.
    /// </exception>
    public async Task<GivenFeedback> AddAsync(Caller caller, FeedbackRequest request, CancellationToken ct)
    {
        CheckValue(request.Name, request.Value);
        var (trace, span) = await SubjectAsync(caller.Project, request, ct);
        var given = new Feedback(
            request.Id ?? Guid.CreateVersion7(), caller.Project, trace, span?.Key.Span, request.Name, request.Value.GetRawText(),
            request.Comment, request.EndUser, clock.GetUtcNow())
        {
            Session = request.Session,
        };
        if (request.Name != Corrected)
        {
            IdConflict.Check(await feedback.AddAsync(given, ct), "feedback", given.Id);
            return new(given, null);
        }
        if (span?.Content.Input is null)
            throw RequestException.BadField(
                "span_id",
                "`demonstration` is about one answer: name a span that has an input by `trace_id` and `span_id`, or its `response_id`.");
        IdConflict.Check(await feedback.AddAsync(given, ct), "feedback", given.Id);
        // Not a correction: the person who gives feedback is no reviewer. It waits for approval like every demonstration.
        await demonstrations.AddAsync([DemonstrationOf(given, span, request.Value.GetString()!, caller.Actor)], ct);
        return new(given, given.Id);
    }

    /// <summary>
    /// Keeps feedback that another database recorded, with its id and time. It causes no demonstration and names a trace that may be
    /// missing.
    /// </summary>
    /// <exception cref="RequestException">
    /// <c>invalid_name</c>, <c>invalid_value</c>, <c>invalid_trace_id</c>; <c>feedback_conflict</c>.
    /// </exception>
    public async Task RestoreAsync(Caller caller, Feedback recorded, CancellationToken ct)
    {
        CheckValue(recorded.Name, JsonElement.Parse(recorded.Value));
        RequestField.Name("trace_id", recorded.TraceId, SpanRules.MaxIdLength);
        IdConflict.Check(await feedback.AddAsync(recorded with { Project = caller.Project }, ct), "feedback", recorded.Id);
    }

    /// <summary>The newest feedback first.</summary>
    /// <exception cref="RequestException"><c>invalid_limit</c>.</exception>
    public Task<IReadOnlyList<Feedback>> ListAsync(Caller caller, FeedbackFilter filter, CancellationToken ct)
    {
        PageSize.Check(filter.Limit);
        return feedback.ListAsync(caller.Project, filter, ct);
    }

    static void CheckValue(string name, JsonElement value)
    {
        RequestField.Name("name", name);
        if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String or JsonValueKind.True or JsonValueKind.False))
            throw RequestException.BadField("value", "`value` must be a number, a boolean or a text.");
        if (value.ValueKind == JsonValueKind.String)
            RequestField.OptionalText("value", value.GetString());
        else if (name is Comment or Corrected)
            throw RequestException.BadField(
                "value",
                $"`value` must be a text: the name `{name}` is kept for "
                + $"{(name == Comment ? "a comment about an answer" : "the answer as it should have been")}.");
    }

    /// <summary>The trace that feedback is kept under, and the span if it is about one.</summary>
    async Task<(string Trace, Span? Span)> SubjectAsync(ProjectId project, FeedbackRequest it, CancellationToken ct)
    {
        if (new[] { it.TraceId, it.Session, it.ResponseId }.Count(name => name is not null) != 1
            || (it.SpanId is not null && it.TraceId is null))
            throw RequestException.BadField(
                "trace_id",
                "Name what the feedback is about in one way: `trace_id`, with `span_id` for one span, or `session`, or `response_id`.");
        if (it.ResponseId is { } response)
        {
            var key = await feedback.FindAnswerAsync(project, response, ct)
                ?? throw RequestException.NotFound("response",
                    $"No span of this project has the answer `{response}`: it may not have arrived yet.", "response_id");
            return (key.Trace, await spans.FindAsync(project, key, ct));
        }
        if (it.Session is { } session)
            return (await feedback.NewestTraceAsync(project, session, ct)
                ?? throw RequestException.NotFound("session", $"No span of this project names the session `{session}`.", "session"), null);
        if (it.SpanId is not null)
            return (it.TraceId!, await spans.GetAsync(project, it.TraceId, it.SpanId, ct));
        return (await spans.TraceAsync(project, it.TraceId!, ct)).Count > 0
            ? (it.TraceId!, null)
            : throw RequestException.NotFound("trace", $"There is no trace `{it.TraceId}` in this project.", "trace_id");
    }

    static Demonstration DemonstrationOf(Feedback given, Span span, string corrected, string author) => new(
        given.Id, given.Project, DemonstrationPurpose.Task, span.Content.Node, span.Content.Input!, corrected,
        corrected == span.Content.Output ? null : span.Content.Output, given.Comment, corrected == span.Content.Output ? 0 : 1,
        span.Content.EndUser, span.Id.Value, DemonstrationState.Pending, author, given.CreatedAt, null, null, null, null);
}
