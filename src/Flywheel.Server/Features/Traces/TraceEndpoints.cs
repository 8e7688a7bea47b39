using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Traces;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Traces;

/// <param name="Index">Position in the request's <c>spans</c>.</param>
public sealed record Rejection(int Index, string Code, string Message);

/// <param name="Accepted">Durable now, repeats of spans that were there already included.</param>
public sealed record IngestAnswer(int Accepted, IReadOnlyList<Rejection> Rejected);

public sealed record TraceList(IReadOnlyList<TraceSummary> Traces, string? Next);

static class TraceEndpoints
{
    const int MaxSpans = 10_000;

    public static void MapTraces(this IEndpointRouteBuilder api)
    {
        api.MapPost("/spans", AddAsync).Needs(KeyScope.Ingest).WithTags("Traces")
            .WithSummary("Store spans; the good ones are kept, the others named")
            .Accepts<SpanBatch>("application/json").Produces<IngestAnswer>();
        var traces = api.MapGroup("/traces").WithTags("Traces");
        traces.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Newest traces first");
        traces.MapGet("/{traceId}", GetAsync).Needs(KeyScope.Read).WithSummary("One trace: spans with verdicts, labels and corrections");
    }

    /// <summary>The answer that nearly every request gets, without a serializer and with its length.</summary>
    sealed class AllStored(int accepted) : IResult
    {
        public Task ExecuteAsync(HttpContext http)
        {
            var body = System.Text.Encoding.ASCII.GetBytes(
                string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{{\"accepted\":{accepted},\"rejected\":[]}}"));
            http.Response.ContentType = "application/json; charset=utf-8";
            http.Response.ContentLength = body.Length;
            return http.Response.Body.WriteAsync(body, 0, body.Length, http.RequestAborted);
        }
    }

    static async Task<IResult> AddAsync(HttpRequest request, HttpCaller caller, SpanIntake intake, TimeProvider clock, CancellationToken ct)
    {
        using var document = await Body.DocumentAsync(request, ct);
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("spans", out var items) || items.ValueKind != JsonValueKind.Array)
            throw RequestException.BadField("spans", "`spans` is missing: send `{\"spans\": [...]}`.");
        if (items.GetArrayLength() > MaxSpans)
            throw RequestException.BadField(
                "spans", $"`spans` holds {items.GetArrayLength():N0} spans; the limit is {MaxSpans:N0} a request: send several.");

        var now = clock.GetUtcNow();
        var spans = new List<NewSpan>(items.GetArrayLength());
        var positions = new List<int>(items.GetArrayLength());
        var rejected = new List<Rejection>();
        var index = 0;
        foreach (var item in items.EnumerateArray())
        {
            if (SpanReader.Read(item, now, out var problem) is { } span)
            {
                spans.Add(span);
                positions.Add(index);
            }
            else
            {
                rejected.Add(new Rejection(index, problem!.Code, problem.Message));
            }
            index++;
        }

        var results = await intake.AddAsync(caller.Project, spans, ct);
        for (var i = 0; i < results.Count; i++)
            if (results[i].Refusal is { } refusal)
                rejected.Add(new Rejection(positions[i], refusal.Code, refusal.Message));
        rejected.Sort((a, b) => a.Index.CompareTo(b.Index));
        var accepted = index - rejected.Count;
        if (accepted == 0 && rejected.Count > 0)
            throw new RequestException(
                RequestErrorKind.Invalid, rejected[0].Code, $"No span was stored. The first: {rejected[0].Message}",
                "spans[" + rejected[0].Index + "]")
            {
                Details = new Dictionary<string, object?> { ["accepted"] = 0, ["rejected"] = rejected },
            };
        if (rejected.Count == 0)
            return new AllStored(accepted);
        return TypedResults.Ok(new IngestAnswer(accepted, rejected));
    }

    static async Task<Ok<TraceList>> ListAsync(
        HttpCaller caller, TraceService traces, CancellationToken ct,
        string? node = null, string? session = null, string? end_user = null, string? cursor = null, int limit = 50)
    {
        var page = await traces.ListAsync(caller, new(node, session, end_user, cursor, limit), ct);
        return TypedResults.Ok(new TraceList(page.Items, page.Next));
    }

    static async Task<Ok<TraceView>> GetAsync(
        string traceId, HttpCaller caller, TraceService traces, CancellationToken ct, bool blind = false) =>
        TypedResults.Ok(TraceView.Of(await traces.ReadAsync(caller, traceId, blind, ct), blind));
}

/// <summary>The request's shape, for the OpenAPI document; it is read span by span so that one bad span spoils nothing.</summary>
sealed record SpanBatch(IReadOnlyList<SpanBody> Spans);

sealed record SpanBody(
    string TraceId, string SpanId, string Node, string? ParentId, NodeKind? Kind, object? Input, object? Output, string? Error,
    DateTimeOffset? StartedAt, double? DurationMs, string? Session, string? EndUser, string? Model, int? InputTokens, int? OutputTokens,
    double? CostUsd, Dictionary<string, object>? Attributes, IReadOnlyList<Guid>? Demonstrations);
