using System.Net;
using Flywheel.Core;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Datasets;
using Flywheel.Server.Features.Guarding;
using Flywheel.Server.Features.Health;
using Flywheel.Server.Features.Jobs;
using Flywheel.Server.Features.Judging;
using Flywheel.Server.Features.Labeling;
using Flywheel.Server.Features.Mcp;
using Flywheel.Server.Features.Metrics;
using Flywheel.Server.Features.Observability;
using Flywheel.Server.Features.Packs;
using Flywheel.Server.Features.Projects;
using Flywheel.Server.Features.Prompts;
using Flywheel.Server.Features.Proposals;
using Flywheel.Server.Features.Retrieval;
using Flywheel.Server.Features.Review;
using Flywheel.Server.Features.Telemetry;
using Flywheel.Server.Features.Traces;
using Flywheel.Server.Gateway;
using Flywheel.Server.Gateway.Policy;
using Flywheel.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Flywheel.Server.Hosting;

/// <summary>Puts the one process together: settings, database, engine, doors.</summary>
public static class FlywheelHost
{
    /// <summary>Builds the server with its database open and its schema up to date; fails loudly on settings that cannot work.</summary>
    /// <param name="store">A store that the caller owns; null opens the one of the settings.</param>
    public static async Task<WebApplication> BuildAsync(
        IConfiguration configuration, CancellationToken ct, IFlywheelStore? store = null, TimeProvider? clock = null,
        Action<WebApplicationBuilder>? configure = null)
    {
        var options = Settings.Server(configuration);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders().AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        // It logs nothing that is shown, and while it may log it starts an activity for each request.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        // It tells of every request, and of callers' mistakes with their stack; what fails in a tool is logged as Flywheel.Mcp.
        builder.Logging.AddFilter("ModelContextProtocol", LogLevel.Critical);
        // A port in use is told once, by whoever starts the server; what stops a running one is critical and still logged.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        // Handlers run where their bytes arrived instead of being queued once more. The socket engine hands the other events of its
        // batch to another thread first, so that one that takes long delays nobody.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Body.MaxBytes;
            kestrel.Limits.MaxConcurrentConnections = 4096;
            Listen(kestrel, options, options.Port, null);
            if (options.OtlpHttpPort != 0)
                Listen(kestrel, options, options.OtlpHttpPort, HttpProtocols.Http1);
            // Without TLS a port cannot offer both: a gRPC client would be answered in HTTP/1.1.
            if (options.OtlpGrpcPort != 0)
                Listen(kestrel, options, options.OtlpGrpcPort, HttpProtocols.Http2);
        });

        var services = builder.Services;
        services.AddSingleton(options);
        services.AddSingleton(clock ?? TimeProvider.System);
        var opened = store ?? await FlywheelStore.OpenAsync(options.Db, null, ct);
        await opened.MigrateAsync(ct);
        if (store is null)
            services.AddSingleton<IFlywheelStore>(_ => opened); // made by the container, so it is disposed with it
        else
            services.AddSingleton(store);
        services.AddFlywheelEngine(configuration, options);
        services.AddGateway(configuration, EngineServices.ReadModels(configuration));
        services.AddTelemetry(configuration);
        services.AddMcp(configuration);
        services.AddObservability();
        services.AddHostedService<WorkerService>();
        services.ConfigureHttpJsonOptions(json => Body.Configure(json.SerializerOptions));
        services.AddProblemDetails();
        services.AddExceptionHandler<Problems>();
        services.AddOpenApi("v1", openApi => openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Flywheel";
            document.Info.Version = "v1";
            document.Info.Description =
                "Log, validate, review, fix, retrieve. Errors are RFC 9457 problems with a machine-readable `code`.";
            return Task.CompletedTask;
        }));
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseExceptionHandler();
        app.UseRouting();
        // Routes without a body of their own; the gateway's answers always have one.
        app.UseWhen(http => http.GetEndpoint()?.Metadata.GetMetadata<ModelCall>() is null, rest => rest.UseStatusCodePages());
        app.UseOtlpRoutes(options);
        app.UseMcpOrigins();
        app.UseAccess(options.RequiresKeys);
        app.MapOpenApi("/openapi/{documentName}.json").OpenToAll();
        app.MapHealth();
        app.MapObservability();
        app.MapOtlp();
        var api = app.MapGroup("/api/v1");
        api.MapTraces();
        api.MapMetrics();
        api.MapPreviews();
        api.MapPacks();
        api.MapReferences();
        api.MapJudging();
        api.MapAlign();
        api.MapAnchors();
        api.MapProposals();
        api.MapGuard();
        api.MapLabeling();
        api.MapPrompts();
        api.MapDatasets();
        api.MapReview();
        api.MapMetricReviews();
        api.MapDemonstrations();
        api.MapNodes();
        api.MapClassification();
        api.MapGatewayPolicies();
        api.MapJobs();
        api.MapProject();
        api.MapEndUsers();
        app.MapGateway();
        app.MapMcp(options);
        app.VerifyPolicies();
        return app;
    }

    static void Listen(KestrelServerOptions kestrel, ServerOptions options, int port, HttpProtocols? only)
    {
        // Set only where it is wanted: saying the default aloud makes Kestrel warn of it.
        void Limit(ListenOptions door)
        {
            if (only is { } protocols)
                door.Protocols = protocols;
        }

        if (options.Host == "localhost")
            kestrel.ListenLocalhost(port, Limit);
        else
            kestrel.Listen(IPAddress.Parse(options.Host), port, Limit);
    }

    /// <summary>Where a started server listens: with port 0 the one that it was given.</summary>
    public static string AddressOf(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
}
