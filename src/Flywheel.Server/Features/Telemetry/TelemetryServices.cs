using Flywheel.Core;
using Flywheel.Engine.Loop;
using Flywheel.Engine.Telemetry;

namespace Flywheel.Server.Features.Telemetry;

static class TelemetryServices
{
    const string ExportSection = "EvaluationExport";

    static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        // Made at once: a price that is none stops the start.
        var prices = PriceTable.Read(configuration.GetSection("Prices").AsEnumerable(makePathsRelative: true));
        services.AddSingleton(prices);
        services.AddSingleton<TelemetryIntake>();
        services.AddSingleton<OtlpLoad>();
        if (ReadExport(configuration.GetSection(ExportSection)) is { } options)
            services.AddSingleton(provider => new EvaluationExport(
                provider.GetRequiredService<IFlywheelStore>(), options, provider.GetRequiredService<TimeProvider>(),
                message => provider.GetRequiredService<ILogger<EvaluationExport>>().LogWarning("{Problem}", message)));
        services.AddSingleton(
            provider => SendingOn(provider.GetService<EvaluationExport>(), provider.GetRequiredService<IFlywheelStore>()));
        return services;
    }

    /// <summary>Without settings for it the outbox is closed, and what waits there stays.</summary>
    static PeriodicTask SendingOn(EvaluationExport? export, IFlywheelStore store)
    {
        var opened = false;
        return new("sending verdicts on", Soon, async ct =>
        {
            if (!opened)
                await (export?.StartAsync(ct) ?? store.Outbox.EnableAsync([], ct));
            opened = true;
            return export is null ? 0 : await export.RunOnceAsync(ct);
        }, OncePerDatabase: false);
    }

    /// <summary>Null when nothing is to be sent, which is the default.</summary>
    internal static EvaluationExportOptions? ReadExport(IConfigurationSection section)
    {
        if (!section.Exists())
            return null;
        foreach (var setting in section.GetChildren())
            if (!new[] { "Endpoint", "Headers", "Projects" }.Contains(setting.Key, StringComparer.OrdinalIgnoreCase))
                throw new FlywheelException(
                    $"There is no setting `{ExportSection}:{setting.Key}`: known are Endpoint, Headers and Projects.");
        var text = section["Endpoint"];
        if (!Uri.TryCreate(text, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https")
            || endpoint.UserInfo.Length > 0 || endpoint.Query.Length > 0)
            throw new FlywheelException(
                $"`{ExportSection}:Endpoint` is `{text}`: set the http or https address of an OTLP/HTTP receiver, such as "
                    + "http://127.0.0.1:4318, without /v1/logs.");
        var headers = new Dictionary<string, string>();
        foreach (var header in section.GetSection("Headers").GetChildren())
        {
            if (header.Value is not { Length: > 0 } value || value.Any(char.IsControl)
                || !header.Key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                throw new FlywheelException(
                    $"`{ExportSection}:Headers:{header.Key}` is no header: give a name of letters, digits and dashes, and a text of one "
                        + "line.");
            headers[header.Key] = value;
        }
        var projects = section.GetSection("Projects").GetChildren().Select(project => project.Value).OfType<string>()
            .Where(name => name.Length > 0).ToArray();
        return new(endpoint, headers, projects.Length == 0 ? ["default"] : projects);
    }
}
