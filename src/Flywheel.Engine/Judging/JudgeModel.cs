using Flywheel.Engine.Models;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Judging;

/// <summary>A model that judges are asked of.</summary>
/// <param name="Name">As configured; null for the default one.</param>
/// <param name="Id">The provider's name of the model; null when unknown.</param>
sealed record JudgeModel(string? Name, string? Id, IChatClient Client, StructuredOutput Structured)
{
    /// <exception cref="Exception">There is no such model, or it cannot be had.</exception>
    public static JudgeModel Open(JudgeServices services, string? name)
    {
        var client = services.Chat(name);
        return new(name, (client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId, client,
            services.Structured(name));
    }
}
