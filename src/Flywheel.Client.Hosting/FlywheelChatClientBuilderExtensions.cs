using Flywheel.Client;
using Flywheel.Core.Traces;
using Microsoft.Extensions.DependencyInjection;

// Beside the builder's own extensions.
namespace Microsoft.Extensions.AI;

/// <summary>Makes a chat client that is being built a node of the loop.</summary>
public static class FlywheelChatClientBuilderExtensions
{
    /// <summary>
    /// A node on the connection of the services with which the client is built; without services, on
    /// <see cref="FlywheelConnection.Default"/>.
    /// </summary>
    /// <remarks>Put it after <c>UseFunctionInvocation</c>, so that each round trip to the model is a span.</remarks>
    /// <param name="serviceKey">Null for the connection that <c>AddFlywheel</c> added; a key for one of <c>AddKeyedFlywheel</c>.</param>
    public static ChatClientBuilder UseFlywheel(
        this ChatClientBuilder builder, string node, NodeKind kind = NodeKind.Other, Action<FlywheelChatOptions>? configure = null,
        string? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use((inner, services) =>
        {
            var connection = serviceKey is not null
                ? services.GetKeyedService<FlywheelConnection>(serviceKey)
                    ?? throw new InvalidOperationException(
                        $"There is no Flywheel connection under the key `{serviceKey}`: call AddKeyedFlywheel(\"{serviceKey}\", …).")
                : services.GetService<FlywheelConnection>() ?? FlywheelConnection.Default;
            return inner.UseFlywheel(connection, node, kind, configure);
        });
    }
}
