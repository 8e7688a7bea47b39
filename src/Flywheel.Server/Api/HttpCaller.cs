using Flywheel.Core.Projects;

namespace Flywheel.Server.Api;

/// <summary>The caller of an HTTP request, resolved by <see cref="Access"/> before the handler runs.</summary>
sealed record HttpCaller(ProjectId Project, KeyScope Scope, string Actor) : Caller(Project, Scope, Actor)
{
    public static ValueTask<HttpCaller?> BindAsync(HttpContext http) => ValueTask.FromResult(http.Features.Get<HttpCaller>());
}
