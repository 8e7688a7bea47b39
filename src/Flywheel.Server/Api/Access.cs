using Flywheel.Core;
using Flywheel.Core.Projects;

namespace Flywheel.Server.Api;


/// <summary>What a route demands; a route without one stops the server at its start.</summary>
sealed record RoutePolicy(KeyScope? Scope);

static class Access
{
    public const string ProjectHeader = "x-flywheel-project";
    const string KeyHeader = "x-api-key";

    public static TBuilder Needs<TBuilder>(this TBuilder builder, KeyScope scope) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RoutePolicy(scope));

    public static TBuilder OpenToAll<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RoutePolicy(null));

    /// <summary>Resolves the caller once the route is known; refuses before any handler runs.</summary>
    /// <param name="requiresKeys">False lets callers without a key do everything.</param>
    public static IApplicationBuilder UseAccess(this IApplicationBuilder app, bool requiresKeys) => app.Use(next => http =>
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<RoutePolicy>() is not { Scope: { } needed })
            return next(http);
        var store = http.RequestServices.GetRequiredService<IFlywheelStore>();
        var clock = http.RequestServices.GetRequiredService<TimeProvider>();
        var resolving = ResolveAsync(http, store, requiresKeys, clock.GetUtcNow());
        if (!resolving.IsCompletedSuccessfully)
            return AwaitAsync(resolving);
        Admit(resolving.Result);
        return next(http);

        async Task AwaitAsync(ValueTask<HttpCaller> resolving)
        {
            Admit(await resolving);
            await next(http);
        }

        void Admit(HttpCaller caller)
        {
            if (!Allows(caller.Scope, needed))
                throw new RequestException(RequestErrorKind.Forbidden, "scope_missing",
                    $"This key has the scope `{caller.Scope.ToString().ToLowerInvariant()}`; the route needs "
                        + $"`{needed.ToString().ToLowerInvariant()}`.");
            http.Features.Set(caller);
        }
    });

    /// <summary>Fails when a route was mapped without saying who may use it.</summary>
    public static void VerifyPolicies(this WebApplication app)
    {
        var bare = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints)
            .Where(endpoint => endpoint.Metadata.GetMetadata<RoutePolicy>() is null)
            .Select(endpoint => endpoint.DisplayName)
            .ToArray();
        if (bare.Length > 0)
            throw new InvalidOperationException(
                $"Routes without an access policy: {string.Join(", ", bare)}. Call Needs(...) or OpenToAll().");
    }

    static bool Allows(KeyScope has, KeyScope needs) =>
        has == KeyScope.Admin || has == needs || (has == KeyScope.Models && needs == KeyScope.Ingest)
        // Tools of agents that propose ask again.
        || (has == KeyScope.Read && needs == KeyScope.Agent);

    static async ValueTask<HttpCaller> ResolveAsync(HttpContext http, IFlywheelStore store, bool requiresKeys, DateTimeOffset now)
    {
        var named = http.Request.Headers[ProjectHeader].ToString();
        var authorization = http.Request.Headers.Authorization.ToString();
        var bare = http.Request.Headers[KeyHeader].ToString();
        if (authorization.Length > 0 || bare.Length > 0)
        {
            var secret = authorization.Length == 0 ? bare.Trim()
                : authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization[7..].Trim() : "";
            var key = secret.Length > 0 ? await store.Projects.FindKeyAsync(KeySecret.HashOf(secret), http.RequestAborted) : null;
            if (key is null || key.RevokedAt is not null || key.ExpiresAt <= now)
                throw new RequestException(RequestErrorKind.Unauthenticated, "invalid_key",
                    "The API key is unknown, revoked or expired: send `Authorization: Bearer KEY` with a key of `flywheel keys create`.");
            if (named.Length > 0)
            {
                var own = await store.Projects.GetAsync(key.Project, http.RequestAborted);
                if (own?.Name != named)
                    throw new RequestException(RequestErrorKind.Forbidden, "foreign_project",
                        $"The key does not belong to the project `{named}`: leave `{ProjectHeader}` out or use that project's key.",
                        ProjectHeader);
            }
            return new HttpCaller(key.Project, key.Scope, key.Name);
        }
        if (requiresKeys)
            throw new RequestException(
                RequestErrorKind.Unauthenticated, "key_missing",
                "This server needs a key: send `Authorization: Bearer KEY` (see `flywheel keys create`).");
        if (named.Length == 0)
            return new HttpCaller(ProjectId.Default, KeyScope.Admin, "local");
        var project = await store.Projects.FindAsync(named, http.RequestAborted)
            ?? throw RequestException.NotFound(
                "project", $"There is no project `{named}`: create it with `flywheel keys create --project {named}`.", ProjectHeader);
        return new HttpCaller(project.Id, KeyScope.Admin, "local");
    }
}
