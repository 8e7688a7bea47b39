using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Validators.Detection;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Metrics;

/// <param name="Node">Draw from this node only; all when left out.</param>
/// <param name="Limit">Most inputs to take, the newest first; 2,000 when left out.</param>
public sealed record ReferenceBody(string? Node = null, int? Limit = null, string? Author = null);

public sealed record ReferenceDecisionBody(string? Author = null);

/// <param name="Sample">A few of the inputs, for who decides.</param>
public sealed record ReferenceView(
    int Number, string State, string? Node, int Inputs, string Author, DateTimeOffset CreatedAt, string? DecidedBy, DateTimeOffset? DecidedAt,
    IReadOnlyList<string>? Sample = null)
{
    public static ReferenceView Of(Reference reference, IReadOnlyList<string>? sample = null) => new(
        reference.Number, Wire.Name(reference.State), reference.Node, reference.Spans.Count, reference.Author, reference.CreatedAt,
        reference.DecidedBy, reference.DecidedAt, sample);
}

public sealed record ReferenceList(IReadOnlyList<ReferenceView> References);

/// <summary>What a detector takes for ordinary: proposed from traffic, in force once a person approves it.</summary>
static class ReferenceEndpoints
{
    const int DefaultLimit = 2_000;
    const int MaxLimit = 20_000;
    const int SampleSize = 20;

    public static void MapReferences(this IEndpointRouteBuilder api)
    {
        var references = api.MapGroup("/metrics/{name}/reference").WithTags("Metrics");
        references.MapPost("/", ProposeAsync).Needs(KeyScope.Admin).WithSummary("Propose recent inputs as what is ordinary").ProducesProblem(400).ProducesProblem(409);
        references.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Proposed and decided references, newest first");
        references.MapPost("/{number:int}/approve", ApproveAsync).Needs(KeyScope.Admin).WithSummary("Put a proposed reference in force");
        references.MapPost("/{number:int}/reject", RejectAsync).Needs(KeyScope.Admin).WithSummary("Decline a proposed reference");
    }

    static async Task<Created<ReferenceView>> ProposeAsync(
        string name, Body<ReferenceBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var metric = await store.Metrics.GetAsync(caller.Project, name, ct);
        if (DetectorReferences.Needed(metric.Validator) is not { } needed)
            throw new RequestException(RequestErrorKind.Invalid, "invalid_metric", $"`{name}` is a `{metric.Validator.Kind}` metric, which compares with no reference: only {DetectorReferences.Kinds} do.", "name");
        var limit = body.Value.Limit ?? DefaultLimit;
        if (limit < 1 || limit > MaxLimit)
            throw RequestException.BadField("limit", $"`limit` is {limit}: give a number from 1 to {MaxLimit}.");
        var spans = await store.References.CandidatesAsync(caller.Project, metric.Id, body.Value.Node, metric.Subject, limit, ct);
        if (spans.Count < needed)
            throw new RequestException(RequestErrorKind.Conflict, "too_few_inputs",
                $"There are {spans.Count} different texts to propose and `{name}` needs at least {needed}: wait for more traffic, name another `node`, raise `limit` or the metric's `false_alarms`.", "limit");
        var reference = await store.References.ProposeAsync(
            caller.Project, metric.Id, body.Value.Node, spans, body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct);
        var sample = await store.Spans.GetAsync(caller.Project, [.. spans.Where((_, i) => i % Math.Max(1, spans.Count / SampleSize) == 0).Take(SampleSize)], ct);
        return TypedResults.Created($"/api/v1/metrics/{name}/reference", ReferenceView.Of(reference, [.. sample.Select(span => (metric.Subject == MetricSubject.Output ? span.Content.Output : span.Content.Input) ?? "")]));
    }

    static async Task<Ok<ReferenceList>> ListAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        var metric = await store.Metrics.GetAsync(caller.Project, name, ct);
        return TypedResults.Ok(new ReferenceList([.. (await store.References.ListAsync(caller.Project, metric.Id, ct)).Select(each => ReferenceView.Of(each))]));
    }

    static Task<Ok<ReferenceView>> ApproveAsync(
        string name, int number, Body<ReferenceDecisionBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
        DecideAsync(name, number, approve: true, body.Value.Author, caller, store, clock, ct);

    static Task<Ok<ReferenceView>> RejectAsync(
        string name, int number, Body<ReferenceDecisionBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
        DecideAsync(name, number, approve: false, body.Value.Author, caller, store, clock, ct);

    static async Task<Ok<ReferenceView>> DecideAsync(
        string name, int number, bool approve, string? author, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var metric = await store.Metrics.GetAsync(caller.Project, name, ct);
        var decided = await store.References.DecideAsync(caller.Project, metric.Id, number, approve, author ?? caller.Actor, clock.GetUtcNow(), ct);
        return TypedResults.Ok(ReferenceView.Of(decided ?? throw RequestException.NotFound(
            "reference", $"`{name}` has no proposed reference {number}: GET /api/v1/metrics/{name}/reference lists them.", "number")));
    }
}
