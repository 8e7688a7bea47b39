using System.Diagnostics;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Retrieval;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Retrieval;

public sealed record DemonstrationView(
    Guid Id, string Purpose, string Target, string Input, string Output, string? RejectedOutput, string? Reason, bool Fixed,
    double Disagreement,
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
        demonstrations.MapPost("/{id:guid}/approve", ApproveOneAsync).Needs(KeyScope.Admin)
            .WithSummary("Let one demonstration into prompts");
        demonstrations.MapPost("/{id:guid}/recall", RecallOneAsync).Needs(KeyScope.Admin)
            .WithSummary("Take one demonstration out of all prompts");
        demonstrations.MapPost("/search", SearchAsync).Needs(KeyScope.Ingest)
            .WithSummary("Demonstrations for a prompt, and why each was chosen");
    }

    static async Task<Ok<DemonstrationList>> ListAsync(
        HttpCaller caller, DemonstrationService demonstrations, CancellationToken ct,
        string? node = null, string? metric = null, string? purpose = null, string? state = null, string? cursor = null, int limit = 50)
    {
        var page = await demonstrations.ListAsync(caller, new(node, metric, purpose, state, cursor, limit), ct);
        return TypedResults.Ok(new DemonstrationList([.. page.Items.Select(DemonstrationView.Of)], page.Next));
    }

    static async Task<Ok<DemonstrationView>> GetAsync(
        Guid id, HttpCaller caller, DemonstrationService demonstrations, CancellationToken ct) =>
        TypedResults.Ok(DemonstrationView.Of(await demonstrations.GetAsync(caller, id, ct)));

    static async Task<Ok<DecisionAnswer>> ApproveAsync(
        Body<DecisionBody> body, HttpCaller caller, DemonstrationService demonstrations, CancellationToken ct) =>
        TypedResults.Ok(new DecisionAnswer(await demonstrations.ApproveAsync(caller.For(body.Value.Author), body.Value.Ids, ct)));

    static async Task<Ok<DemonstrationView>> ApproveOneAsync(
        Guid id, HttpCaller caller, DemonstrationService demonstrations, CancellationToken ct) =>
        TypedResults.Ok(DemonstrationView.Of(await demonstrations.ApproveOneAsync(caller, id, ct)));

    static async Task<Ok<DecisionAnswer>> RecallAsync(
        Body<DecisionBody> body, HttpCaller caller, DemonstrationService demonstrations, CancellationToken ct) =>
        TypedResults.Ok(new DecisionAnswer(await demonstrations.RecallAsync(caller.For(body.Value.Author), body.Value.Ids, ct)));

    static async Task<Ok<DemonstrationView>> RecallOneAsync(
        Guid id, HttpCaller caller, DemonstrationService demonstrations, CancellationToken ct) =>
        TypedResults.Ok(DemonstrationView.Of(await demonstrations.RecallOneAsync(caller, id, ct)));

    static async Task<Ok<SearchAnswer>> SearchAsync(
        Body<SearchBody> body, HttpCaller caller, RetrievalService retrieval, CancellationToken ct)
    {
        var it = body.Value;
        var started = Stopwatch.GetTimestamp();
        var answer = await retrieval.SearchAsync(caller, new(it.Input, it.Node, it.Metric, it.K, it.Strategy), ct);
        return TypedResults.Ok(new SearchAnswer(
            [.. answer.Result.Chosen.Select(View)], answer.Result.Eligible, answer.Policy.Strategy.WireName(), answer.Embedder,
            Stopwatch.GetElapsedTime(started).TotalMilliseconds));
    }

    static ChosenView View(RetrievedDemonstration it)
    {
        var chosen = Engine.Loop.EmbeddedLoop.Chosen(it);
        return new ChosenView(
            it.Id, it.Text, it.Answer, it.IsFixed, chosen.Score, chosen.Parts.ToDictionary(part => part.Name, part => part.Value),
            it.ApprovedAt);
    }
}
