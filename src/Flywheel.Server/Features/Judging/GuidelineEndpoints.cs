using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Judging;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Metrics;
using Microsoft.AspNetCore.Http.HttpResults;

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

public sealed record GuidelineList(IReadOnlyList<GuidelineView> Guidelines);

static class GuidelineEndpoints
{
    public static void MapGuidelines(this IEndpointRouteBuilder api)
    {
        var guidelines = api.MapGroup("/metrics/{name}/guidelines").WithTags("Judging");
        guidelines.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Rules for the metric's judges, oldest first");
        guidelines.MapPost("/", ProposeAsync).Needs(KeyScope.Admin).WithSummary("Propose a rule, or let a model distil some from disagreements");
        guidelines.MapPost("/{id:guid}/approve", ApproveAsync).Needs(KeyScope.Admin).WithSummary("Put a rule into the judges' prompts");
        guidelines.MapPost("/{id:guid}/remove", RemoveAsync).Needs(KeyScope.Admin).WithSummary("Take a rule out of the judges' prompts");
    }

    static async Task<Ok<GuidelineList>> ListAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct, string? state = null)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        GuidelineState? only = state is null ? null
            : Wire.Parse<GuidelineState>(state) ?? throw RequestException.BadField("state", $"`state` is `{state}`: use {Wire.Choices<GuidelineState>()}.");
        return TypedResults.Ok(new GuidelineList([.. (await store.Guidelines.ListAsync(caller.Project, metric.Id, only, ct)).Select(GuidelineView.Of)]));
    }

    static async Task<Ok<GuidelineList>> ProposeAsync(
        string name, Body<GuidelineBody> body, HttpCaller caller, IFlywheelStore store, GuidelineDistillation distillation, TimeProvider clock, CancellationToken ct)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        var author = body.Value.Author ?? caller.Actor;
        if (body.Value.Text is not { } text)
            return TypedResults.Ok(new GuidelineList([.. (await DistilAsync(distillation, metric, body.Value.Model, author, ct)).Select(GuidelineView.Of)]));
        if (text.Trim() is not { Length: > 0 and <= Guideline.MaxLength } words)
            throw RequestException.BadField("text", $"`text` must have 1 to {Guideline.MaxLength} characters: write one rule in a sentence or two.");
        var at = clock.GetUtcNow();
        var guideline = new Guideline(Guid.CreateVersion7(at), caller.Project, metric.Id, words, [], GuidelineState.Proposed, author, at);
        await store.Guidelines.AddAsync([guideline], ct);
        return TypedResults.Ok(new GuidelineList([GuidelineView.Of(guideline)]));
    }

    static async Task<IReadOnlyList<Guideline>> DistilAsync(
        GuidelineDistillation distillation, Metric metric, string? model, string author, CancellationToken ct)
    {
        try
        {
            return await distillation.ProposeAsync(metric, model, author, ct);
        }
        catch (DistillationException error)
        {
            throw new RequestException(RequestErrorKind.Conflict, error.Code, error.Message);
        }
        catch (Engine.Models.ModelSetupException error)
        {
            throw RequestException.BadField("model", error.Message);
        }
        catch (Exception error) when (error is not OperationCanceledException && Engine.Models.ModelFault.From(error, null, ct) is var fault && fault.Kind != Engine.Models.ModelFaultKind.Unknown)
        {
            throw new RequestException(RequestErrorKind.UpstreamFailed, "model_failed", $"The model could not be asked: {fault.Reason}") { RetryAfter = fault.RetryAfter };
        }
    }

    static async Task<Ok<GuidelineView>> ApproveAsync(
        string name, Guid id, Body<AuthorBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        return TypedResults.Ok(GuidelineView.Of(
            await store.Guidelines.ApproveAsync(caller.Project, metric.Id, id, body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct) ?? throw Unknown(name, id)));
    }

    static async Task<Ok<GuidelineView>> RemoveAsync(
        string name, Guid id, Body<AuthorBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        return TypedResults.Ok(GuidelineView.Of(
            await store.Guidelines.RemoveAsync(caller.Project, metric.Id, id, body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct) ?? throw Unknown(name, id)));
    }

    static RequestException Unknown(string name, Guid id) => RequestException.NotFound("guideline", $"The metric `{name}` has no guideline {id}.");
}
