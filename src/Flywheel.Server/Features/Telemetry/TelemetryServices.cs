using Flywheel.Engine.Telemetry;

namespace Flywheel.Server.Features.Telemetry;

static class TelemetryServices
{
    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        // Made at once: a price that is none stops the start.
        var prices = PriceTable.Read(configuration.GetSection("Prices").AsEnumerable(makePathsRelative: true));
        services.AddSingleton(prices);
        services.AddSingleton<TelemetryIntake>();
        services.AddSingleton<OtlpLoad>();
        return services;
    }
}
