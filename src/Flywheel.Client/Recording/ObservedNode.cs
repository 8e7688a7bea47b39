using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Client.Recording;

/// <summary>What holds for every call of one node.</summary>
/// <param name="Model">The inner client's default model; null when it does not say.</param>
internal sealed record ObservedNode(string Name, NodeKind Kind, FlywheelChatOptions Options, string? Provider, string? Model)
{
    public static ObservedNode Of(IChatClient inner, string name, NodeKind kind, FlywheelChatOptions options)
    {
        var metadata = inner.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata;
        return new(name, kind, options, metadata?.ProviderName, metadata?.DefaultModelId);
    }
}
