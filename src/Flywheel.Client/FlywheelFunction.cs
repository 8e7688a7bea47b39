using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Client;

/// <summary>
/// A tool of an agent whose every run is a step: its arguments, its result, and what it threw, which the caller gets unchanged.
/// </summary>
/// <param name="node">Null takes the function's name.</param>
/// <param name="connection">What records it; null takes the trace's, or the default.</param>
public sealed class FlywheelFunction(AIFunction inner, string? node = null, FlywheelConnection? connection = null) : DelegatingAIFunction(
    inner)
{
    /// <inheritdoc/>
    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) =>
        await FlywheelScope.RunAsync(
            node ?? Name, NodeKind.Tool, arguments?.Count > 0 ? new Dictionary<string, object?>(arguments) : null,
            async (_, ct) => await base.InvokeCoreAsync(arguments!, ct).ConfigureAwait(false), connection, cancellationToken)
                .ConfigureAwait(false);
}
