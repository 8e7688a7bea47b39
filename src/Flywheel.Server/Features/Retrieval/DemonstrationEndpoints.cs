using System.Diagnostics;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Retrieval;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Retrieval;

public sealed record DemonstrationView(
    Guid Id, string Purpose, string Target, string Input, string Output, string? RejectedOutput, string? Reason, bool Fixed, double Disagreement,
    string? EndUser, string State, string Author, DateTimeOffset CreatedAt, DateTimeOffset? ApprovedAt, string? ApprovedBy,
    DateTimeOffset? RecalledAt, string? RecalledBy)
{
    public static DemonstrationView Of(Demonstration it) => new(
        it.Id, Wire.Name(it.Purpose), it.Target, it.Input, it.Output, it.RejectedOutput, it.Reason, it.IsFixed, it.Disagreement, it.EndUser,
        Wire.Name(it.State), it.Author, it.CreatedAt, it.ApprovedAt, it.ApprovedBy, it.RecalledAt, it.RecalledBy);
}

public sealed record DemonstrationList(IReadOnlyList<DemonstrationView> Demonstrations, string? Next);

/// <param name="Ids">Demonstrations to act on.</param>
/// <param name="Author">Who decides; the caller when left out.</param>
public sealed record DecisionBody(IReadOnlyList<Guid> Ids, string? Author = null);

public sealed record DecisionAnswer(int Changed);

/// <param name="Node">Whose prompt; or <paramref name="Metric"/> for a judge's.</param>
/// <param name="Input">The input at hand.</param>
public sealed record SearchBody(
    string Input, string? Node = null, string? Metric = null, int? K = null, string? Strategy = null, string? EndUser = null);

/// <param name="Parts">Why it was chosen: similarity, recency, disagreement, support, relevance, coverage, redundancy.</param>
public sealed record ChosenView(
    Guid Id, string Input, string Output, bool Fixed, double Score, IReadOnlyDictionary<string, double> Parts, DateTimeOffset ApprovedAt);

/// <param name="Demonstrations">In prompt order: the most similar last.</param>
/// <param name="Eligible">How many approved ones the choice was made from; from some thousands on by estimate.</param>
public sealed record SearchAnswer(
    IReadOnlyList<ChosenView> Demonstrations, int Eligible, string Strategy, string Embedder, double ElapsedMs);

static class DemonstrationEndpoints
{
    public static void MapDemonstrations(this IEndpointRouteBuilder api)
    {
        var demonstrations = api.MapGroup("/demonstrations").WithTags("Demonstrations");
        demonstrations.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Demonstrations, newest first");
        demonstrations.MapGet("/{id:guid}", GetAsync).Needs(KeyScope.Read).WithSummary("One demonstration");
        demonstrations.MapPost("/approve", ApproveAsync).Needs(KeyScope.Admin).WithSummary("Let demonstrations into prompts");
        demonstrations.MapPost("/recall", RecallAsync).Needs(KeyScope.Admin).WithSummary("Take demonstrations out of all prompts");
        demonstrations.MapPost("/{id:guid}/approve", (Guid id, HttpCaller caller, IFlywheelStore store, DemonstrationEmbedding embedding, TimeProvider clock, CancellationToken ct) =>
            ApproveOneAsync(id, caller, store, embedding, clock, ct)).Needs(KeyScope.Admin).WithSummary("Let one demonstration into prompts");
        demonstrations.MapPost("/{id:guid}/recall", RecallOneAsync).Needs(KeyScope.Admin).WithSummary("Take one demonstration out of all prompts");
        demonstrations.MapPost("/search", SearchAsync).Needs(KeyScope.Ingest).WithSummary("Demonstrations for a prompt, and why each was chosen");
    }

    static async Task<Ok<DemonstrationList>> ListAsync(
        HttpCaller caller, IFlywheelStore store, CancellationToken ct,
        string? node = null, string? metric = null, string? purpose = null, string? state = null, string? cursor = null, int limit = 50)
    {
        var filter = new DemonstrationFilter(
            metric is not null ? DemonstrationPurpose.Judge : node is not null ? DemonstrationPurpose.Task
                : purpose is null ? null : Wire.Parse<DemonstrationPurpose>(purpose) ?? throw RequestException.BadField("purpose", $"`purpose` is `{purpose}`: use {Wire.Choices<DemonstrationPurpose>()}."),
            metric ?? node,
            state is null ? null : Wire.Parse<DemonstrationState>(state) ?? throw RequestException.BadField("state", $"`state` is `{state}`: use {Wire.Choices<DemonstrationState>()}."),
            cursor, PageSize.Check(limit));
        var page = await store.Demonstrations.ListAsync(caller.Project, filter, ct);
        return TypedResults.Ok(new DemonstrationList([.. page.Items.Select(DemonstrationView.Of)], page.Next));
    }

    static async Task<Ok<DemonstrationView>> GetAsync(Guid id, HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(DemonstrationView.Of(await FindAsync(store, caller.Project, id, ct)));

    static async Task<Ok<DecisionAnswer>> ApproveAsync(
        Body<DecisionBody> body, HttpCaller caller, IFlywheelStore store, DemonstrationEmbedding embedding, TimeProvider clock, CancellationToken ct)
    {
        var changed = await store.Demonstrations.ApproveAsync(caller.Project, body.Value.Ids, body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct);
        await embedding.RunOnceAsync(ct);
        return TypedResults.Ok(new DecisionAnswer(changed));
    }

    static async Task<Ok<DemonstrationView>> ApproveOneAsync(
        Guid id, HttpCaller caller, IFlywheelStore store, DemonstrationEmbedding embedding, TimeProvider clock, CancellationToken ct)
    {
        await FindAsync(store, caller.Project, id, ct);
        await store.Demonstrations.ApproveAsync(caller.Project, [id], caller.Actor, clock.GetUtcNow(), ct);
        await embedding.RunOnceAsync(ct);
        return TypedResults.Ok(DemonstrationView.Of(await FindAsync(store, caller.Project, id, ct)));
    }

    static async Task<Ok<DecisionAnswer>> RecallAsync(
        Body<DecisionBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
        TypedResults.Ok(new DecisionAnswer(await store.Demonstrations.RecallAsync(
            caller.Project, body.Value.Ids, body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct)));

    static async Task<Ok<DemonstrationView>> RecallOneAsync(
        Guid id, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        await FindAsync(store, caller.Project, id, ct);
        await store.Demonstrations.RecallAsync(caller.Project, [id], caller.Actor, clock.GetUtcNow(), ct);
        return TypedResults.Ok(DemonstrationView.Of(await FindAsync(store, caller.Project, id, ct)));
    }

    static async Task<Ok<SearchAnswer>> SearchAsync(
        Body<SearchBody> body, HttpCaller caller, DemonstrationRetriever retriever, NodePolicies policies, CancellationToken ct)
    {
        var it = body.Value;
        if (it.Node is null == it.Metric is null)
            throw RequestException.BadField("node", "Give either `node` (a task prompt) or `metric` (a judge's prompt).");
        var started = Stopwatch.GetTimestamp();
        RetrievalPolicy policy;
        try
        {
            policy = RetrievalPolicies.Override(
                it.Node is null ? RetrievalPolicy.ForJudge : await policies.ForNodeAsync(caller.Project, it.Node, ct), it.Strategy, it.K);
        }
        catch (FlywheelException e)
        {
            throw RequestException.BadField(it.Strategy is not null && RetrievalStrategies.Parse(it.Strategy) is null ? "strategy" : "k", e.Message);
        }
        var result = await retriever.SearchAsync(
            caller.Project, it.Node is null ? DemonstrationPurpose.Judge : DemonstrationPurpose.Task, it.Node ?? it.Metric!, it.Input, policy, ct);
        return TypedResults.Ok(new SearchAnswer(
            [.. result.Chosen.Select(View)], result.Eligible, policy.Strategy.WireName(), retriever.Embedder.Fingerprint,
            Stopwatch.GetElapsedTime(started).TotalMilliseconds));
    }

    static ChosenView View(RetrievedDemonstration it)
    {
        var chosen = Engine.Loop.EmbeddedLoop.Chosen(it);
        return new ChosenView(
            it.Id, it.Text, it.Answer, it.IsFixed, chosen.Score, chosen.Parts.ToDictionary(part => part.Name, part => part.Value), it.ApprovedAt);
    }

    static async Task<Demonstration> FindAsync(IFlywheelStore store, ProjectId project, Guid id, CancellationToken ct) =>
        await store.Demonstrations.GetAsync(project, id, ct)
        ?? throw RequestException.NotFound("demonstration", $"There is no demonstration {id} in this project.");
}
