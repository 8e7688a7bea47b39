using Flywheel.Core.Projects;
using Flywheel.Engine.Projects;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Projects;

/// <param name="EndUser">As the spans name the person.</param>
/// <param name="Compact">Also rewrite the database file, so that no free page holds what was deleted; writers wait meanwhile
/// (false).</param>
public sealed record EraseBody(string EndUser, bool Compact = false, string? Author = null);

/// <param name="Compacted">The file was rewritten; false when nobody asked, and on PostgreSQL, which frees space in its own time.</param>
public sealed record EraseAnswer(Erasure Erased, bool Compacted);

static class EndUserEndpoints
{
    public static void MapEndUsers(this IEndpointRouteBuilder api) =>
        api.MapPost("/end-users/erase", EraseAsync).Needs(KeyScope.Admin).WithTags("Project")
            .WithSummary("Delete everything of an end user: spans, verdicts, labels, demonstrations, feedback, cached replies");

    static async Task<Ok<EraseAnswer>> EraseAsync(Body<EraseBody> body, HttpCaller caller, ErasureService erasures, CancellationToken ct)
    {
        var it = body.Value;
        var (erased, compacted) = await erasures.EraseAsync(caller.For(it.Author), it.EndUser, it.Compact, ct);
        return TypedResults.Ok(new EraseAnswer(erased, compacted));
    }
}
