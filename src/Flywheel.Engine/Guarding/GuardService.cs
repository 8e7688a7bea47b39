using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Guarding;

/// <summary>Asks the guards of the caller's project about an input.</summary>
public sealed class GuardService(InputGuard guard)
{
    /// <exception cref="RequestException">
    /// <c>invalid_node</c>, <c>invalid_end_user</c>, <c>invalid_session</c>, <c>invalid_attributes</c>, <c>invalid_kind</c>.
    /// </exception>
    public Task<GuardAnswer> CheckAsync(Caller caller, GuardRequest request, CancellationToken ct)
    {
        RequestField.Name("node", request.Node);
        RequestField.OptionalName("end_user", request.EndUser);
        RequestField.OptionalName("session", request.Session);
        if (request.Attributes is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null or JsonValueKind.Undefined) })
            throw RequestException.BadField("attributes", "`attributes` must be an object.");
        var kind = Wire.Choice<NodeKind>("kind", request.Kind) ?? NodeKind.Other;
        var attributes = request.Attributes is { ValueKind: JsonValueKind.Object } given ? given.GetRawText() : null;
        return guard.CheckAsync(caller.Project, new(request.Node, kind, request.Input, request.EndUser, request.Session, attributes), ct);
    }
}
