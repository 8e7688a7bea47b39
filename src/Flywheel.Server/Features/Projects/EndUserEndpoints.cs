using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Server.Api;
using Flywheel.Server.Gateway.Calls;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Projects;

/// <param name="EndUser">As the spans name the person.</param>
/// <param name="Compact">Also rewrite the database file, so that no free page holds what was deleted; writers wait meanwhile (false).</param>
public sealed record EraseBody(string EndUser, bool Compact = false, string? Author = null);

/// <param name="Compacted">The file was rewritten; false when nobody asked, and on PostgreSQL, which frees space in its own time.</param>
public sealed record EraseAnswer(Erasure Erased, bool Compacted);

static class EndUserEndpoints
{
    public static void MapEndUsers(this IEndpointRouteBuilder api) =>
        api.MapPost("/end-users/erase", EraseAsync).Needs(KeyScope.Admin).WithTags("Project")
            .WithSummary("Delete everything of an end user: spans, verdicts, labels, demonstrations, feedback, cached replies");

    static async Task<Ok<EraseAnswer>> EraseAsync(
        Body<EraseBody> body, HttpCaller caller, IFlywheelStore store, AnswerCache cache, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        if (SpanRules.Name(it.EndUser, SpanRules.MaxNameLength) is { } why)
            throw RequestException.BadField("end_user", $"`end_user` {why}");
        var erased = await store.Erasures.EraseAsync(caller.Project, it.EndUser, it.Author ?? caller.Actor, clock.GetUtcNow(), ct);
        cache.Clear();
        return TypedResults.Ok(new EraseAnswer(erased, it.Compact && await CompactAsync(store, ct)));
    }

    static async Task<bool> CompactAsync(IFlywheelStore store, CancellationToken ct)
    {
        try
        {
            return await store.Erasures.CompactAsync(ct);
        }
        catch (TimeoutException busy)
        {
            throw new RequestException(RequestErrorKind.Unavailable, "compaction_busy", $"The user's data is deleted, but the file was not rewritten: {busy.Message}") { RetryAfter = TimeSpan.FromSeconds(10) };
        }
    }
}
