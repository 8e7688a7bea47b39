using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Labeling;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Traces;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Labeling;

/// <param name="Mode"><c>blind</c>, <c>accepted</c> or <c>edited</c>; only blind labels are gold. Left out: as the queue served the item,
/// blind
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

/// <param name="Name">Of the outcome; <c>comment</c> is a text about the answer, <c>demonstration</c> the answer as it should have
/// been.</param>
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
    public static FeedbackAnswer Of(GivenFeedback given)
    {
        var it = FeedbackView.Of(given.Feedback);
        return new(it.Id, it.TraceId, it.SpanId, it.Name, it.Value, it.Comment, it.EndUser, it.CreatedAt, it.Session, given.Demonstration);
    }
}

public sealed record FeedbackList(IReadOnlyList<FeedbackView> Feedback);

/// <param name="DemonstrationId">The pending demonstration that the correction caused.</param>
public sealed record CorrectionAnswer(CorrectionView Correction, Guid? DemonstrationId, string? DemonstrationState)
{
    public static CorrectionAnswer Of(CorrectionOfSpan it) => new(
        CorrectionView.Of(it.Correction, it.Span), it.Demonstration?.Id, it.Demonstration is { } made ? Wire.Name(made.State) : null);
}

static class LabelingEndpoints
{
    public static void MapLabeling(this IEndpointRouteBuilder api)
    {
        var labels = api.MapGroup("/labels").WithTags("Labeling");
        labels.MapPost("/", LabelAsync).Needs(KeyScope.Admin).WithSummary("A person's pass or fail for one metric on one span");
        labels.MapGet("/", ListLabelsAsync).Needs(KeyScope.Read).WithSummary("Labels, newest first");
        labels.MapDelete("/{id:guid}", RemoveLabelAsync).Needs(KeyScope.Admin).WithSummary("Take back a label given by mistake");
        api.MapPost("/corrections", CorrectAsync).Needs(KeyScope.Admin).WithTags("Labeling")
            .WithSummary("Fix or confirm an output; a pending demonstration comes of it");
        api.MapGet("/feedback", ListFeedbackAsync).Needs(KeyScope.Read).WithTags("Labeling")
            .WithSummary("Feedback, newest first, by name, trace or session");
        api.MapPost("/feedback", FeedbackAsync).Needs(KeyScope.Ingest).WithTags("Labeling")
            .WithSummary("What the application learned of an answer");
    }

    static async Task<Ok<LabelView>> LabelAsync(
        Body<LabelBody> body, HttpRequest request, HttpCaller caller, LabelService labels, CancellationToken ct)
    {
        var it = body.Value;
        return TypedResults.Ok(LabelView.Of(await labels.AddAsync(
            caller,
            new(it.TraceId, it.SpanId, it.Metric, it.Passed, it.Mode, it.Critique, it.Author, it.Propensity, it.Adjudicate,
                IdempotencyKey.IdOf(request, caller, it.Id)),
            ct)));
    }

    static async Task<Ok<IReadOnlyList<LabelView>>> ListLabelsAsync(
        HttpCaller caller, LabelService labels, CancellationToken ct, string? metric = null, int limit = 50) =>
        TypedResults.Ok<IReadOnlyList<LabelView>>([.. (await labels.ListAsync(caller, metric, limit, ct)).Select(LabelView.Of)]);

    static async Task<NoContent> RemoveLabelAsync(Guid id, HttpCaller caller, LabelService labels, CancellationToken ct)
    {
        await labels.RemoveAsync(caller, id, ct);
        return TypedResults.NoContent();
    }

    static async Task<Ok<CorrectionAnswer>> CorrectAsync(
        Body<CorrectionBody> body, HttpRequest request, HttpCaller caller, CorrectionService corrections, CancellationToken ct)
    {
        var it = body.Value;
        var corrected = it.CorrectedOutput.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => null,
            JsonValueKind.String => it.CorrectedOutput.GetString(),
            _ => it.CorrectedOutput.GetRawText(),
        };
        return TypedResults.Ok(CorrectionAnswer.Of(await corrections.AddAsync(
            caller,
            new(it.TraceId, it.SpanId, corrected, it.WentWrong, it.Reasoning, it.Author, IdempotencyKey.IdOf(request, caller, it.Id)),
            ct)));
    }

    static async Task<Ok<FeedbackList>> ListFeedbackAsync(
        HttpCaller caller, FeedbackService feedback, CancellationToken ct, string? name = null, string? trace_id = null,
        string? session = null, int limit = 50) =>
        TypedResults.Ok(new FeedbackList(
            [.. (await feedback.ListAsync(caller, new(name, trace_id, session, limit), ct)).Select(FeedbackView.Of)]));

    static async Task<Ok<FeedbackAnswer>> FeedbackAsync(
        Body<FeedbackBody> body, HttpRequest request, HttpCaller caller, FeedbackService feedback, CancellationToken ct)
    {
        var it = body.Value;
        return TypedResults.Ok(FeedbackAnswer.Of(await feedback.AddAsync(
            caller,
            new(it.Name, it.Value, it.TraceId, it.SpanId, it.Session, it.ResponseId, it.Comment, it.EndUser,
                IdempotencyKey.IdOf(request, caller, it.Id)),
            ct)));
    }
}
