using Flywheel.Core;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Client;

/// <summary>Makes any chat client a node of the loop.</summary>
public static class FlywheelChatClientExtensions
{
    /// <summary>A node on <see cref="FlywheelConnection.Default"/>.</summary>
    /// <exception cref="InvalidOperationException">Neither a default connection nor FLYWHEEL_URL is set.</exception>
    public static IChatClient UseFlywheel(
        this IChatClient inner, string node, NodeKind kind = NodeKind.Other, Action<FlywheelChatOptions>? configure = null) =>
        inner.UseFlywheel(FlywheelConnection.Default, node, kind, configure);

    /// <summary>A node on a loop; all nodes that name the same loop share one connection, <see cref="FlywheelConnection.To"/>.</summary>
    public static IChatClient UseFlywheel(
        this IChatClient inner, ILoop loop, string node, NodeKind kind = NodeKind.Other, Action<FlywheelChatOptions>? configure = null) =>
        inner.UseFlywheel(FlywheelConnection.To(loop), node, kind, configure);

    /// <summary>A node on a connection.</summary>
    public static IChatClient UseFlywheel(
        this IChatClient inner, FlywheelConnection connection, string node, NodeKind kind = NodeKind.Other,
        Action<FlywheelChatOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(inner);
        var options = new FlywheelChatOptions();
        configure?.Invoke(options);
        return new FlywheelChatClient(inner, connection, node, kind, options);
    }

    /// <summary>A tool whose every run is a step of the trace.</summary>
    /// <param name="node">Null takes the function's name.</param>
    /// <param name="connection">What records it; null takes the trace's, or the default.</param>
    public static AIFunction UseFlywheel(this AIFunction function, string? node = null, FlywheelConnection? connection = null) =>
        new FlywheelFunction(function, node, connection);

    /// <summary>The recorded call behind an answer, for feedback; null when it did not come through a node.</summary>
    public static SpanKey? SpanKey(this ChatResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        // Updates put together into a response carry their properties on its messages.
        return KeyIn(response.AdditionalProperties)
            ?? response.Messages.Select(static message => KeyIn(message.AdditionalProperties)).LastOrDefault(static key => key is not null);
    }

    /// <summary>The recorded call behind a stream: its first update carries the key.</summary>
    public static SpanKey? SpanKey(this ChatResponseUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        return KeyIn(update.AdditionalProperties);
    }

    static SpanKey? KeyIn(AdditionalPropertiesDictionary? properties) =>
        properties?.GetValueOrDefault(FlywheelProperties.TraceId) is string trace
        && properties.GetValueOrDefault(FlywheelProperties.SpanId) is string span
            ? new(trace, span)
            : null;
}
