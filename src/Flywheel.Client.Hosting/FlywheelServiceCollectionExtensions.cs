using Flywheel.Client;
using Flywheel.Client.Hosting;
using Flywheel.Client.Remote;
using Flywheel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

// Where applications look for their host's extensions, without a using of their own.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes Flywheel a service of the application.</summary>
public static class FlywheelServiceCollectionExtensions
{
    const string Section = "Flywheel";

    /// <summary>
    /// Adds a <see cref="FlywheelConnection"/> with its <see cref="ILoop"/>, <see cref="FlywheelApi"/> and <see cref="FlywheelPrompts"/>,
    /// all
    /// disposed with the services.
    /// </summary>
    /// <remarks>
    /// Settings are those of the section <c>Flywheel</c>, if there is a configuration, then those of <paramref name="configure"/>. Settings
    /// that cannot work stop the start of the host; a server that is not there does not.
    /// </remarks>
    public static IServiceCollection AddFlywheel(this IServiceCollection services, Action<FlywheelHostOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<IConfigureOptions<FlywheelHostOptions>>(
            static provider => new SectionSettings("", () => provider.GetService<IConfiguration>()?.GetSection(Section)));
        return Add(services, null, configure);
    }

    /// <summary>The same with the settings of another section.</summary>
    public static IServiceCollection AddFlywheel(
        this IServiceCollection services, IConfiguration section, Action<FlywheelHostOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        services.AddSingleton<IConfigureOptions<FlywheelHostOptions>>(new SectionSettings("", () => section));
        return Add(services, null, configure);
    }

    /// <summary>
    /// Adds a connection under a key beside others, for an application that uses several projects or servers. It has the settings of the
    /// code only.
    /// </summary>
    public static IServiceCollection AddKeyedFlywheel(this IServiceCollection services, string key, Action<FlywheelHostOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, key, configure);
    }

    /// <summary>The same with the settings of a section.</summary>
    public static IServiceCollection AddKeyedFlywheel(
        this IServiceCollection services, string key, IConfiguration section, Action<FlywheelHostOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(section);
        services.AddSingleton<IConfigureOptions<FlywheelHostOptions>>(new SectionSettings(key, () => section));
        return Add(services, key, configure);
    }

    static IServiceCollection Add(IServiceCollection services, string? key, Action<FlywheelHostOptions>? configure)
    {
        var name = key ?? "";
        var options = services.AddOptions<FlywheelHostOptions>(name).ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ImplementationInstance is HostedConnection known && known.Key == key))
            return services;

        services.AddSingleton(new HostedConnection(key));
        services.AddSingleton<IPostConfigureOptions<FlywheelHostOptions>>(new EnvironmentSettings(name));
        services.AddSingleton<IValidateOptions<FlywheelHostOptions>>(new HostSettingsCheck(name));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ConnectionAtStart>());
        services.AddKeyedSingleton<ILoop>(key, (provider, _) => Loop(provider, name));
        services.AddKeyedSingleton<FlywheelConnection>(key, (provider, _) => Connection(provider, key));
        services.AddKeyedSingleton<FlywheelApi>(
            key, (provider, _) => new FlywheelApi(provider.GetRequiredKeyedService<FlywheelConnection>(key)));
        services.AddKeyedSingleton<FlywheelPrompts>(key, (provider, _) =>
        {
            var settings = Settings(provider, name);
            return new FlywheelPrompts(provider.GetRequiredKeyedService<FlywheelApi>(key), settings.PromptsFresh, settings.Time);
        });
        return services;
    }

    static FlywheelHostOptions Settings(IServiceProvider provider, string name) =>
        provider.GetRequiredService<IOptionsMonitor<FlywheelHostOptions>>().Get(name);

    static ILoop Loop(IServiceProvider provider, string name)
    {
        var settings = Settings(provider, name);
        return settings.Loop?.Invoke(provider) ?? new RemoteLoop(settings.Server!, settings.ApiKey, settings.Project);
    }

    static FlywheelConnection Connection(IServiceProvider provider, string? key)
    {
        var settings = Settings(provider, key ?? "");
        if (settings.OnFailure is null && provider.GetService<ILoggerFactory>() is { } logs)
            settings.OnFailure = new FailureLog(logs.CreateLogger<FlywheelConnection>(), settings.Time).Tell;
        var connection = new FlywheelConnection(provider.GetRequiredKeyedService<ILoop>(key), settings);
        if (key is null && settings.IsDefault)
            connection.BecomeDefault();
        return connection;
    }
}
