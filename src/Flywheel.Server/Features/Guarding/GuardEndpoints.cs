using System.Text.Json;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Guarding;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Traces;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Guarding;

/// <param name="Node">Which node is asked; guards may be about some nodes only.</param>
/// <param name="Kind">Of the node; <c>other</c> when left out.</param>
/// <param name="Input">What is about to go to the model.</param>
/// <param name="EndUser">Who asks; guards such as <c>input.owner</c> need it.</param>
/// <param name="Attributes">What else the application knows, as on a span.</param>
public sealed record GuardBody(
    string Node, string Input, string? Kind = null, string? EndUser = null, string? Session = null, JsonElement? Attributes = null);

/// <param name="Decision"><c>allow</c>, <c>redact</c> or <c>block</c>.</param>
/// <param name="Input">What may go to the model.</param>
/// <param name="Findings">One a guard that looked.</param>
public sealed record GuardView(string Decision, string Input, IReadOnlyList<GuardFindingView> Findings, double Milliseconds);

/// <param name="Action">What the guard does about a text that fails.</param>
/// <param name="Spans">Positions in the input that was sent.</param>
public sealed record GuardFindingView(
    string Metric, string ValidatorVersion, string Action, string Outcome, double? Score, double? Confidence, string? Reason,
    double CostUsd,
    string? Model, IReadOnlyList<Guid> Demonstrations, IReadOnlyList<FoundSpanView>? Spans, double? RawConfidence)
{
    public static GuardFindingView Of(GuardFinding it) => new(
        it.Metric, it.ValidatorVersion, Wire.Name(it.Action), Wire.Name(it.Finding.Outcome), it.Finding.Score, it.Finding.Confidence,
        it.Finding.Reason, it.Finding.CostUsd, it.Finding.Model, it.Finding.Demonstrations ?? [], FoundSpanView.Of(it.Finding.Spans),
        it.Finding.RawConfidence);
}

static class GuardEndpoints
{
    public static void MapGuard(this IEndpointRouteBuilder api) =>
        api.MapPost("/guard", CheckAsync).Needs(KeyScope.Ingest).WithTags("Guards")
            .WithSummary("Ask the guards about an input before a model sees it");

    static async Task<Ok<GuardView>> CheckAsync(Body<GuardBody> body, HttpCaller caller, GuardService guards, CancellationToken ct)
    {
        var it = body.Value;
        var answer = await guards.CheckAsync(caller, new(it.Node, it.Input, it.Kind, it.EndUser, it.Session, it.Attributes), ct);
        return TypedResults.Ok(new GuardView(
            Wire.Name(answer.Decision), answer.Input, [.. answer.Findings.Select(GuardFindingView.Of)], answer.Milliseconds));
    }
}
