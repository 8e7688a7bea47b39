using System.ClientModel;
using Flywheel.Engine.Models.Offline;
using Microsoft.Extensions.AI;
using OpenAI;

namespace SupportBot;

/// <summary>The model behind all nodes.</summary>
public static class SupportModel
{
    /// <summary>The configured provider, or the offline model when none is.</summary>
    public static IChatClient Of(SupportBotOptions options) =>
        options.Endpoint is not { } endpoint
            ? new OfflineChatClient()
            : new OpenAIClient(new ApiKeyCredential(options.ApiKey ?? "none"), new OpenAIClientOptions { Endpoint = endpoint })
                .GetChatClient(options.Model)
                .AsIChatClient();
}
