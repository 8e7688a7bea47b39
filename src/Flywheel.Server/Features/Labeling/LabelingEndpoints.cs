using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Review;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Traces;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Labeling;

/// <param name="Mode"><c>blind</c>, <c>accepted</c> or <c>edited</c>; only blind labels are gold. Left out: as the queue served the item, blind
/// where it did not. A mode that contradicts how the item was served is refused.</param>
/// <param name="Propensity">Probability in (0, 1] with which the item was drawn; left out for items picked by hand.</param>
/// <param name="Adjudicate">Decides between people who differ about the item: for counts and demonstrations this label is theirs.</param>
/// <param name="Id">A UUID of your own makes a repeat harmless, as an <c>Idempotency-Key</c> header does.</param>
public sealed record LabelBody(
    string TraceId, string SpanId, string Metric, bool Passed, string? Mode = null, string? Critique = null, string? Author = null,
    double? Propensity = null, Guid? Id = null, bool Adjudicate = false);

/// <param name="WentWrong">What was wrong with the output; left out when it is confirmed as it is.</param>
/// <param name="CorrectedOutput">What the node should have answered; a JSON value counts as its text.</param>
public sealed record CorrectionBody(
    string TraceId, string SpanId, JsonElement CorrectedOutput, string? WentWrong = null, string? Reasoning = null, string? Author = null,
    Guid? Id = null);

/// <param name="Name">Of the outcome; <c>comment</c> is a text about the answer, <c>demonstration</c> the answer as it should have been.</param>
/// <param name="Value">Number, boolean or text.</param>
/// <param name="SpanId">With <paramref name="TraceId"/>; left out for the whole trace.</param>
/// <param name="Session">Instead of a trace: the whole conversation.</param>
/// <param name="ResponseId">Instead of a trace: the id that the provider or the gateway gave the answer.</param>
public sealed record FeedbackBody(
    string Name, JsonElement Value, string? TraceId = null, string? SpanId = null, string? Session = null, string? ResponseId = null,
    string? Comment = null, string? EndUser = null, Guid? Id = null);

/// <param name="DemonstrationId">The pending demonstration that a <c>demonstration</c> caused; null for other feedback.</param>
public sealed record FeedbackAnswer(
    Guid Id, string TraceId, string? SpanId, string Name, JsonElement Value, string? Comment, string? EndUser, DateTimeOffset CreatedAt,
    string? Session, Guid? DemonstrationId)
{
    public static FeedbackAnswer Of(FeedbackView it, Guid? demonstration) => new(
        it.Id, it.TraceId, it.SpanId, it.Name, it.Value, it.Comment, it.EndUser, it.CreatedAt, it.Session, demonstration);
}

public sealed record FeedbackList(IReadOnlyList<FeedbackView> Feedback);

/// <param name="DemonstrationId">The pending demonstration that the correction caused.</param>
public sealed record CorrectionAnswer(CorrectionView Correction, Guid? DemonstrationId, string? DemonstrationState);

static class LabelingEndpoints
{
    /// <summary>Names of feedback that mean something of their own.</summary>
    const string Comment = "comment";
    const string Corrected = "demonstration";

    public static void MapLabeling(this IEndpointRouteBuilder api)
    {
        var labels = api.MapGroup("/labels").WithTags("Labeling");
        labels.MapPost("/", LabelAsync).Needs(KeyScope.Admin).WithSummary("A person's pass or fail for one metric on one span");
        labels.MapGet("/", ListLabelsAsync).Needs(KeyScope.Read).WithSummary("Labels, newest first");
        labels.MapDelete("/{id:guid}", RemoveLabelAsync).Needs(KeyScope.Admin).WithSummary("Take back a label given by mistake");
        api.MapPost("/corrections", CorrectAsync).Needs(KeyScope.Admin).WithTags("Labeling")
            .WithSummary("Fix or confirm an output; a pending demonstration comes of it");
        api.MapGet("/feedback", ListFeedbackAsync).Needs(KeyScope.Read).WithTags("Labeling").WithSummary("Feedback, newest first, by name, trace or session");
        api.MapPost("/feedback", FeedbackAsync).Needs(KeyScope.Ingest).WithTags("Labeling").WithSummary("What the application learned of an answer");
    }

    static async Task<Ok<LabelView>> LabelAsync(
        Body<LabelBody> body, HttpRequest request, HttpCaller caller, IFlywheelStore store, ReviewServing serving, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        if (it.Propensity is { } propensity && propensity is not (> 0 and <= 1))
            throw RequestException.BadField("propensity", "`propensity` is a probability above 0 and at most 1: leave it out for items picked by hand.");
        LabelMode? claimed = it.Mode is null ? null
            : Wire.Parse<LabelMode>(it.Mode) ?? throw RequestException.BadField("mode", $"`mode` is `{it.Mode}`: use {Wire.Choices<LabelMode>()}.");
        var metric = await store.Metrics.GetAsync(caller.Project, it.Metric, ct);
        var span = await FindSpanAsync(store, caller.Project, it.TraceId, it.SpanId, ct);
        var mode = await ModeAsync(serving, caller.Project, span.Id, metric.Id, claimed, it.Passed, ct);
        var label = new Label(
            IdOf(request, caller, it.Id), caller.Project, span.Id, metric.Id, it.Passed, mode, it.Critique, it.Author ?? caller.Actor,
            it.Propensity, clock.GetUtcNow())
        {
            Adjudicates = it.Adjudicate,
        };
        if (label.Adjudicates)
            await CheckDisputeAsync(store, label, ct);
        Refuse(await store.Labels.AddAsync(label, ct), "label", label.Id);
        return TypedResults.Ok(LabelView.Of(label, span.Key, new Dictionary<MetricId, string> { [metric.Id] = metric.Name }));
    }

    static async Task CheckDisputeAsync(IFlywheelStore store, Label label, CancellationToken ct)
    {
        var others = (await store.Labels.OfSpansAsync(label.Project, [label.Span], ct))
            .Where(other => other.Metric == label.Metric && other is { Mode: LabelMode.Blind, Adjudicates: false }).ToArray();
        if (others.Select(other => other.Passed).Distinct().Count() < 2)
            throw new RequestException(RequestErrorKind.Conflict, "no_dispute", "People do not differ about this item: leave `adjudicate` out.", "adjudicate");
        if (label.Mode != LabelMode.Blind)
            throw new RequestException(
                RequestErrorKind.Conflict, "mode_conflict", "Whoever saw the judge's suggestion cannot adjudicate: let somebody decide who took the item with `blind=true`.", "adjudicate");
    }

    static async Task<LabelMode> ModeAsync(
        ReviewServing serving, ProjectId project, SpanId span, MetricId metric, LabelMode? claimed, bool passed, CancellationToken ct)
    {
        try
        {
            return await serving.ModeAsync(project, span, metric, claimed, passed, ct);
        }
        catch (ModeConflictException conflict)
        {
            throw new RequestException(RequestErrorKind.Conflict, "mode_conflict", conflict.Message, "mode");
        }
    }

    static async Task<Ok<IReadOnlyList<LabelView>>> ListLabelsAsync(
        HttpCaller caller, IFlywheelStore store, CancellationToken ct, string? metric = null, int limit = 50)
    {
        var found = metric is null ? null : await store.Metrics.GetAsync(caller.Project, metric, ct);
        var labels = await store.Labels.ListAsync(caller.Project, found?.Id, PageSize.Check(limit), ct);
        var spans = (await store.Spans.GetAsync(caller.Project, [.. labels.Select(label => label.Span).Distinct()], ct)).ToDictionary(span => span.Id);
        var names = (await store.Metrics.ListAsync(caller.Project, ct)).ToDictionary(each => each.Id, each => each.Name);
        return TypedResults.Ok<IReadOnlyList<LabelView>>([.. labels.Select(label => LabelView.Of(label, spans[label.Span].Key, names))]);
    }

    static async Task<NoContent> RemoveLabelAsync(Guid id, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
        await store.Labels.RemoveAsync(caller.Project, id, caller.Actor, clock.GetUtcNow(), ct)
            ? TypedResults.NoContent()
            : throw RequestException.NotFound("label", $"There is no label {id} in this project.");

    static async Task<Ok<CorrectionAnswer>> CorrectAsync(
        Body<CorrectionBody> body, HttpRequest request, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        if (it.CorrectedOutput.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
            throw RequestException.BadField("corrected_output", "`corrected_output` is missing: write what the node should have answered, or repeat the output to confirm it.");
        var corrected = it.CorrectedOutput.ValueKind == JsonValueKind.String ? it.CorrectedOutput.GetString()! : it.CorrectedOutput.GetRawText();
        if (SpanRules.Text(corrected) is { } why)
            throw RequestException.BadField("corrected_output", $"`corrected_output` {why}");
        var span = await FindSpanAsync(store, caller.Project, it.TraceId, it.SpanId, ct);
        var correction = new Correction(
            IdOf(request, caller, it.Id), caller.Project, span.Id, it.WentWrong, corrected, it.Reasoning, it.Author ?? caller.Actor, clock.GetUtcNow());
        Refuse(await store.Corrections.AddAsync(correction, ct), "correction", correction.Id);
        var demonstration = await store.Demonstrations.OfSourceAsync(caller.Project, correction.Id, ct);
        return TypedResults.Ok(new CorrectionAnswer(
            CorrectionView.Of(correction, span.Key), demonstration?.Id, demonstration is null ? null : Wire.Name(demonstration.State)));
    }

    static async Task<Ok<FeedbackList>> ListFeedbackAsync(
        HttpCaller caller, IFlywheelStore store, CancellationToken ct, string? name = null, string? trace_id = null, string? session = null, int limit = 50)
    {
        var found = await store.Feedback.ListAsync(caller.Project, new(name, trace_id, session, PageSize.Check(limit)), ct);
        return TypedResults.Ok(new FeedbackList([.. found.Select(FeedbackView.Of)]));
    }

    static async Task<Ok<FeedbackAnswer>> FeedbackAsync(
        Body<FeedbackBody> body, HttpRequest request, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        if (SpanRules.Name(it.Name, SpanRules.MaxNameLength) is { } why)
            throw RequestException.BadField("name", $"`name` {why}");
        if (it.Value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String or JsonValueKind.True or JsonValueKind.False))
            throw RequestException.BadField("value", "`value` must be a number, a boolean or a text.");
        if (it.Value.ValueKind == JsonValueKind.String && SpanRules.Text(it.Value.GetString()!) is { } bad)
            throw RequestException.BadField("value", $"`value` {bad}");
        if (it.Name is Comment or Corrected && it.Value.ValueKind != JsonValueKind.String)
            throw RequestException.BadField("value", $"`value` must be a text: the name `{it.Name}` is kept for {(it.Name == Comment ? "what somebody wrote about an answer" : "the answer as it should have been")}.");
        var (trace, span) = await AboutAsync(store, caller.Project, it, ct);
        var feedback = new Feedback(
            IdOf(request, caller, it.Id), caller.Project, trace, span?.Key.Span, it.Name, it.Value.GetRawText(), it.Comment, it.EndUser, clock.GetUtcNow())
        {
            Session = it.Session,
        };
        if (it.Name == Corrected && span?.Content.Input is null)
            throw RequestException.BadField("span_id", "`demonstration` is about one answer: name a span that has an input by `trace_id` and `span_id`, or its `response_id`.");
        Refuse(await store.Feedback.AddAsync(feedback, ct), "feedback", feedback.Id);
        // Not a correction: who gives feedback is no reviewer. It waits for approval like every demonstration.
        if (it.Name == Corrected)
            await store.Demonstrations.AddAsync([DemonstrationOf(feedback, span!, it.Value.GetString()!, caller)], ct);
        return TypedResults.Ok(FeedbackAnswer.Of(FeedbackView.Of(feedback), it.Name == Corrected ? feedback.Id : null));
    }

    /// <summary>The trace that feedback is kept under, and the span when it is about one.</summary>
    static async Task<(string Trace, Span? Span)> AboutAsync(IFlywheelStore store, ProjectId project, FeedbackBody it, CancellationToken ct)
    {
        if (new[] { it.TraceId, it.Session, it.ResponseId }.Count(name => name is not null) != 1 || (it.SpanId is not null && it.TraceId is null))
            throw RequestException.BadField("trace_id", "Name what the feedback is about in one way: `trace_id`, with `span_id` for one span, or `session`, or `response_id`.");
        if (it.ResponseId is { } response)
        {
            var key = await store.Feedback.FindAnswerAsync(project, response, ct)
                ?? throw RequestException.NotFound("response", $"No span of this project has the answer `{response}`: it may not have arrived yet.", "response_id");
            return (key.Trace, await store.Spans.FindAsync(project, key, ct));
        }
        if (it.Session is { } session)
            return (await store.Feedback.NewestTraceAsync(project, session, ct)
                ?? throw RequestException.NotFound("session", $"No span of this project names the session `{session}`.", "session"), null);
        if (it.SpanId is not null)
            return (it.TraceId!, await FindSpanAsync(store, project, it.TraceId!, it.SpanId, ct));
        return (await store.Spans.TraceAsync(project, it.TraceId!, ct)).Count > 0
            ? (it.TraceId!, null)
            : throw RequestException.NotFound("trace", $"There is no trace `{it.TraceId}` in this project.", "trace_id");
    }

    static Demonstration DemonstrationOf(Feedback feedback, Span span, string corrected, HttpCaller caller) => new(
        feedback.Id, feedback.Project, DemonstrationPurpose.Task, span.Content.Node, span.Content.Input!, corrected,
        corrected == span.Content.Output ? null : span.Content.Output, feedback.Comment, corrected == span.Content.Output ? 0 : 1, span.Content.EndUser,
        span.Id.Value, DemonstrationState.Pending, caller.Actor, feedback.CreatedAt, null, null, null, null);

    static async Task<Span> FindSpanAsync(IFlywheelStore store, ProjectId project, string trace, string span, CancellationToken ct)
    {
        foreach (var (field, value) in new[] { ("trace_id", trace), ("span_id", span) })
            if (SpanRules.Name(value, SpanRules.MaxIdLength) is { } why)
                throw RequestException.BadField(field, $"`{field}` {why}");
        return await store.Spans.FindAsync(project, new SpanKey(trace, span), ct)
            ?? throw RequestException.NotFound("span", $"There is no span `{span}` in trace `{trace}` of this project.", "span_id");
    }

    /// <summary>The row's id: the sender's own, one derived from the idempotency key, or a new one.</summary>
    static Guid IdOf(HttpRequest request, HttpCaller caller, Guid? own)
    {
        if (own is { } id)
            return id;
        var key = request.Headers["Idempotency-Key"].ToString();
        if (key.Length == 0)
            return Guid.CreateVersion7();
        if (key.Length > 255)
            throw new RequestException(RequestErrorKind.Invalid, "invalid_idempotency_key", "`Idempotency-Key` is over 255 characters.", "Idempotency-Key");
        return new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{caller.Project.Value}\n{request.Path}\n{key}")).AsSpan(0, 16));
    }

    static void Refuse(InsertResult added, string what, Guid id)
    {
        if (added == InsertResult.Conflicting)
            throw new RequestException(RequestErrorKind.Conflict, what + "_conflict", $"The id or idempotency key was used for another {what} ({id}): use a new one.");
    }
}
