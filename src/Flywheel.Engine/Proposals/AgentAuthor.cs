using Flywheel.Core;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Proposals;

/// <summary>How proposals and the audit name an agent.</summary>
public static class AgentAuthor
{
    /// <returns>Never the name of a person.</returns>
    /// <exception cref="RequestException"><c>scope_missing</c> if the caller may not propose.</exception>
    public static string Of(Caller caller) => caller.Scope is KeyScope.Agent or KeyScope.Admin
        ? "agent:" + caller.Actor
        : throw new RequestException(
            RequestErrorKind.Forbidden, "scope_missing",
            $"This key has the scope `{caller.Scope.ToString().ToLowerInvariant()}` and may read only: "
            + "proposals need a key of `flywheel keys create --scope agent`.");
}
