using Flywheel.Core.Gateway;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Engine.Models;
using Flywheel.Server.Api;
using Flywheel.Server.Gateway.Calls;
using Flywheel.Server.Gateway.Policy;
using Flywheel.Server.Gateway.Upstreams;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway;

/// <summary>The door for OpenAI's clients: `/openai/v1`.</summary>
static class GatewayEndpoints
{
    public static IServiceCollection AddGateway(this IServiceCollection services, IConfiguration configuration, ModelOptions models)
    {
        // Made at once: settings that cannot work stop the start.
        var options = GatewayOptions.Read(configuration);
        var routes = new ModelRoutes(options, models);
        services.AddSingleton(options);
        services.AddSingleton<IErrorFormat, OpenAIErrorFormat>();
        services.AddSingleton(routes);
        services.AddSingleton<IRoutedModels>(routes);
        services.AddSingleton<UpstreamClient>();
        services.AddSingleton<NodeRulesSource>();
        services.AddSingleton<PromptPreparation>();
        services.AddSingleton<CallRecorder>();
        services.AddSingleton<AnswerCache>();
        services.AddSingleton<IErasureObserver>(provider => provider.GetRequiredService<AnswerCache>());
        services.AddSingleton<Relay>();
        services.AddSingleton<ModelCaller>();
        services.AddSingleton<ModelHandler>();
        return services;
    }

    public static void MapGateway(this WebApplication app)
    {
        var door = app.Services.GetRequiredService<ModelHandler>();
        var openAI = app.MapGroup("/openai/v1").WithTags("Gateway");
        Map("/chat/completions", Protocol.Chat, "Chat completions, plain or streamed, through the loop");
        Map("/responses", Protocol.Responses, "Responses, plain or streamed, through the loop");
        Map("/embeddings", Protocol.Embeddings, "Embeddings");
        openAI.MapGet("/models", List).Needs(KeyScope.Models).WithSummary("The models that the settings name");
        openAI.MapGet("/models/{**id}", Get).Needs(KeyScope.Models).WithSummary("One model");

        void Map(string path, Protocol protocol, string summary) =>
            openAI.MapPost(path, (RequestDelegate)(http => door.HandleAsync(http, protocol))).Needs(KeyScope.Models)
                .WithMetadata(new ModelCall())
                .WithSummary(summary);
    }

    static IResult List(ModelRoutes routes) => Results.Json(
        new ModelList("list", [.. routes.Names.Select(each => new ModelEntry(each.Name, "model", 0, each.Provider))]),
        GatewayJson.Default.ModelList);

    static IResult Get(string id, ModelRoutes routes) => routes.Find(id) is { } route
        ? Results.Json(new ModelEntry(id, "model", 0, route.Upstream.Name), GatewayJson.Default.ModelEntry)
        : throw new RequestException(RequestErrorKind.NotFound, "model_not_found", $"There is no model `{id}`. {routes.Known}", "model");
}

/// <summary>Marks the routes that call a model.</summary>
sealed record ModelCall;

sealed record ModelList(string Object, IReadOnlyList<ModelEntry> Data);

sealed record ModelEntry(string Id, string Object, long Created, string OwnedBy);
