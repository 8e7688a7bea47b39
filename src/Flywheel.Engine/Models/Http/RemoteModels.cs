using System.ClientModel;
using System.ClientModel.Primitives;
using Anthropic;
using Anthropic.Core;
using Flywheel.Core.Retrieval;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Flywheel.Engine.Models.Http;

/// <summary>Makes clients of models behind an endpoint. None of them retries: the worker that owns the call does.</summary>
internal static class RemoteModels
{
    private static readonly Uri Ollama = new("http://localhost:11434/v1");

    /// <param name="key">Null for a server that wants none.</param>
    public static IChatClient Chat(ChatModelOptions model, string? key)
    {
        var timeout = model.Timeout ?? ChatModelOptions.DefaultTimeout;
        if (model.Kind == ChatProvider.Anthropic)
            return AnthropicChat(model, key, timeout);

        var endpoint = model.Endpoint ?? (model.Kind == ChatProvider.Ollama ? Ollama : null);
        var client = OpenAI(endpoint, key, timeout).GetChatClient(model.Model!).AsIChatClient();
        return model.MaxOutputTokens is { } tokens ? new OutputLimit(client, tokens) : client;
    }

    /// <param name="key">Null for a server that wants none.</param>
    public static IEmbedder Embedder(EmbeddingOptions model, string? key)
    {
        var ollama = model.Provider == EmbeddingProvider.Ollama;
        var endpoint = model.Endpoint ?? (ollama ? Ollama : null);
        var generator = OpenAI(endpoint, key, model.Timeout ?? ChatModelOptions.DefaultTimeout)
            .GetEmbeddingClient(model.Model!)
            .AsIEmbeddingGenerator();
        return new HttpEmbedder(generator, ollama ? "ollama" : "openai", model.Model!, model.Dimensions, model.QueryPrefix, model.Batch);
    }

    private static OpenAIClient OpenAI(Uri? endpoint, string? key, TimeSpan timeout)
    {
        var options = new OpenAIClientOptions
        {
            RetryPolicy = new ClientRetryPolicy(0),
            NetworkTimeout = timeout,
            Transport = new HttpClientPipelineTransport(ModelHttp.Client()),
        };
        if (endpoint is not null)
            options.Endpoint = endpoint;
        return new(new ApiKeyCredential(key ?? "none"), options);
    }

    private static IChatClient AnthropicChat(ChatModelOptions model, string? key, TimeSpan timeout)
    {
        var options = new ClientOptions
        {
            ApiKey = key ?? "none",
            MaxRetries = 0,
            Timeout = timeout,
            HttpClient = ModelHttp.ThrowingClient(),
        };
        if (model.Endpoint is not null)
            options.BaseUrl = model.Endpoint.ToString().TrimEnd('/');
        return new AnthropicClient(options).AsIChatClient(model.Model, model.MaxOutputTokens);
    }
}
