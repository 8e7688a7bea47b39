using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Metrics.Sql;
using Flywheel.Engine.Models;
using Flywheel.Validators.Sandboxing;
using Flywheel.Server.Files;
using Flywheel.Storage;
using Flywheel.Validators;
using Flywheel.Validators.Code;
using Flywheel.Validators.Detection;
using Flywheel.Validators.Evaluators;
using Flywheel.Validators.Webhooks;

namespace Flywheel.Server.Hosting;

/// <summary>The engine with what the settings bring: models, validators, the application's databases.</summary>
static class EngineServices
{
    /// <summary>
    /// The engine over the <see cref="IFlywheelStore"/> that the caller registers, for the server and for commands on its database.
    /// </summary>
    /// <remarks>Validators name databases of the settings only: a path in a request would let its sender try files.</remarks>
    public static IServiceCollection AddFlywheelEngine(
        this IServiceCollection services, IConfiguration configuration, ServerOptions options)
    {
        services.AddConfigured(configuration, CodeServices.OfServer(configuration, options.Db));
        services.AddSingleton<StoredReferences>();
        services.AddSingleton(provider => new DetectionServices(
            provider.GetRequiredService<ModelRegistry>().Embedder, provider.GetRequiredService<TimeProvider>(),
            References: provider.GetRequiredService<StoredReferences>()));
        services.AddEngine(new EngineOptions
        {
            CodeConcurrency = options.CodeConcurrency,
            JudgeConcurrency = options.JudgeConcurrency,
            Lease = TimeSpan.FromSeconds(options.LeaseSeconds),
            Kinds = Kinds(configuration),
            OnFault = static (provider, what, error) => provider.GetRequiredService<ILogger<MetricWorker>>()
                .LogError(error, "A worker's turn failed at {What}; trying again", what),
        });
        return services;
    }

    /// <summary>What validates the rows of files, with no server: settings may name files of this machine.</summary>
    /// <param name="store">Judges know the approved labels of this database; null for none. It stays the caller's.</param>
    public static IServiceCollection AddFileValidation(
        this IServiceCollection services, IConfiguration configuration, IFlywheelStore? store)
    {
        services.AddConfigured(configuration, CodeServices.OfCommandLine(configuration));
        services.AddSingleton<ISqlEvaluator, ScratchSpans>();
        services.AddSingleton(provider => new DetectionServices(
            provider.GetRequiredService<ModelRegistry>().Embedder, provider.GetRequiredService<TimeProvider>(),
            path => RowFile.Read(path).Select(row => row.Row)));
        if (store is not null)
        {
            services.AddSingleton(store.Demonstrations);
            services.AddSingleton(store.NodePolicies);
            services.AddRetrieval();
        }
        return services.AddValidation(new EngineOptions { Kinds = Kinds(configuration) });
    }

    /// <summary>Made at once: a model or plug-in that is configured and cannot be loaded stops the start.</summary>
    static void AddConfigured(this IServiceCollection services, IConfiguration configuration, CodeDatabases databases)
    {
        var models = OpenModels(configuration);
        models.Embedder();
        services.AddSingleton(_ => models); // made by the container, so it is disposed with it
        services.AddSingleton(databases);
        services.AddSingleton(_ => CodeServices.OpenSandbox(configuration));
        services.AddSingleton<IApplicationDatabases>(_ => OpenDatabases(configuration));
        services.AddSingleton(provider => Webhooks(configuration, provider.GetRequiredService<TimeProvider>()));
    }

    static Func<IServiceProvider, IEnumerable<IValidatorKind>> Kinds(IConfiguration configuration)
    {
        var evaluators = OperatorServices.Evaluators(configuration);
        var plugins = OperatorServices.Plugins(configuration);
        return provider =>
        [
            .. LeafValidators.All(new()
            {
                Tokens = provider.GetRequiredService<ITokenCounter>(),
                Detection = provider.GetRequiredService<DetectionServices>(),
                Webhooks = provider.GetRequiredService<WebhookServices>(),
                Databases = provider.GetRequiredService<IApplicationDatabases>(),
                Sandbox = provider.GetRequiredService<Sandbox>(),
                CodeDatabases = provider.GetRequiredService<CodeDatabases>(),
                Evaluators = evaluators,
                Models = ModelsOf(provider.GetRequiredService<JudgeServices>()),
            }),
            .. plugins,
        ];

        static EvaluatorModels ModelsOf(JudgeServices judges) =>
            new(judges.Chat, (model, usage) => judges.Price?.Invoke(model, usage) ?? 0);
    }

    /// <summary>The application's own databases: <c>Databases:NAME</c> is <c>sqlite:FILE</c> or <c>postgres://…</c>.</summary>
    static ApplicationDatabases OpenDatabases(IConfiguration configuration) => new(configuration.GetSection("Databases").GetChildren()
        .Where(setting => setting.Value is not null).Select(setting => KeyValuePair.Create(setting.Key, setting.Value!)));

    /// <summary>
    /// Where webhooks may go and how they sign: <c>Webhooks:Allow</c> (a list of host:port) and <c>Webhooks:Keys:NAME</c>.
    /// </summary>
    static WebhookServices Webhooks(IConfiguration configuration, TimeProvider clock) => new(
        configuration.GetSection("Webhooks:Allow").Get<string[]>(),
        configuration.GetSection("Webhooks:Keys").GetChildren().Where(key => key.Value is not null)
            .ToDictionary(key => key.Key, key => key.Value!), clock);

    /// <summary>The configured models, checked; the offline ones if none are configured.</summary>
    public static ModelRegistry OpenModels(IConfiguration configuration) => new(ReadModels(configuration));

    public static ModelOptions ReadModels(IConfiguration configuration)
    {
        var section = configuration.GetSection("Models").AsEnumerable(makePathsRelative: true);
        // `Embeddings:Provider` beside `Models:Embeddings:Provider`: the short form.
        var embeddings = configuration.GetSection("Embeddings").AsEnumerable(makePathsRelative: true)
            .Where(setting => setting.Key.Length > 0)
            .Select(setting => KeyValuePair.Create("embeddings:" + setting.Key, setting.Value));
        return ModelOptions.Read(section.Where(setting => setting.Key.Length > 0).Concat(embeddings));
    }
}
