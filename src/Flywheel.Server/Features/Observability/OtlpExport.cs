using Flywheel.Core.Observability;
using Flywheel.Server.Hosting;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Flywheel.Server.Features.Observability;

/// <summary>Sends Flywheel's own metrics and activities by OTLP, if the usual environment variables of OpenTelemetry say where.</summary>
sealed class OtlpExport : IDisposable
{
    const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const string MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    readonly MeterProvider? _metrics;
    readonly TracerProvider? _traces;

    OtlpExport(IConfiguration variables, bool metrics, bool traces)
    {
        if (metrics)
            _metrics = Sdk.CreateMeterProviderBuilder()
                .ConfigureServices(services => services.AddSingleton(variables))
                .ConfigureResource(resource => Name(resource, variables))
                .AddMeter(FlywheelMeter.Name)
                .AddOtlpExporter(options => To(options, variables[MetricsEndpoint]))
                .Build();
        if (traces)
            _traces = Sdk.CreateTracerProviderBuilder()
                .ConfigureServices(services => services.AddSingleton(variables))
                .ConfigureResource(resource => Name(resource, variables))
                .AddSource(FlywheelActivities.Name)
                .AddOtlpExporter(options => To(options, variables[TracesEndpoint]))
                .Build();
    }

    /// <param name="variables">Environment variables by their names.</param>
    /// <param name="self">Where this server listens: it does not send to itself.</param>
    /// <returns>Null when nothing is to be exported: then no part of the SDK is loaded.</returns>
    public static OtlpExport? Start(IConfiguration variables, ServerOptions self)
    {
        if (string.Equals(variables["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase))
            return null;
        var metrics = IsOn(variables, MetricsEndpoint, "OTEL_METRICS_EXPORTER", self);
        var traces = IsOn(variables, TracesEndpoint, "OTEL_TRACES_EXPORTER", self);
        return metrics || traces ? new OtlpExport(variables, metrics, traces) : null;
    }

    /// <summary>Sends what was not sent yet, for 5 seconds at most.</summary>
    public void Dispose()
    {
        _metrics?.ForceFlush(5_000);
        _traces?.ForceFlush(5_000);
        _metrics?.Dispose();
        _traces?.Dispose();
    }

    static bool IsOn(IConfiguration variables, string ownEndpoint, string exporter, ServerOptions self)
    {
        var endpoint = string.IsNullOrEmpty(variables[ownEndpoint]) ? variables[Endpoint] : variables[ownEndpoint];
        return !string.IsNullOrEmpty(endpoint) && !IsSelf(endpoint, self)
            && !string.Equals(variables[exporter], "none", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The same variables tell applications to send to Flywheel; each span taken in would cause another.</summary>
    static bool IsSelf(string endpoint, ServerOptions self) =>
        Uri.TryCreate(endpoint, UriKind.Absolute, out var address) && address.IsLoopback
        && (address.Port == self.Port || address.Port == self.OtlpHttpPort || address.Port == self.OtlpGrpcPort);

    static void To(OtlpExporterOptions options, string? endpoint)
    {
        if (!string.IsNullOrEmpty(endpoint))
            options.Endpoint = new Uri(endpoint);
    }

    static void Name(ResourceBuilder resource, IConfiguration variables)
    {
        if (string.IsNullOrEmpty(variables["OTEL_SERVICE_NAME"]))
            resource.AddService("flywheel");
    }
}
