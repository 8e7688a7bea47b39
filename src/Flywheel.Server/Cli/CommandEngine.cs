using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Composition;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Cli;

/// <summary>The engine of one command: composed as the server composes its own, with nothing running in the background.</summary>
sealed class CommandEngine : IAsyncDisposable
{
    readonly ServiceProvider _services;

    CommandEngine(IServiceCollection services) => _services = services.AddLogging().BuildServiceProvider();

    public ValidatorRegistry Validators => Get<ValidatorRegistry>();

    /// <summary>The whole engine over a database, which stays the caller's.</summary>
    /// <param name="db">The <c>--db</c> option; null for the database of the settings.</param>
    public static CommandEngine Over(IFlywheelStore store, string? db)
    {
        var configuration = Settings.Load();
        var options = Settings.Server(configuration);
        options.Db = db ?? options.Db;
        return new(new ServiceCollection().AddSingleton(store).AddFlywheelEngine(configuration, options));
    }

    /// <summary>The use cases that need the database only. It stays the caller's.</summary>
    public static CommandEngine OverData(IFlywheelStore store) => new(new ServiceCollection().AddSingleton(store).AddDataUseCases());

    /// <summary>What validates the rows of files.</summary>
    /// <param name="store">Judges know the approved labels of this database; null for none. It stays the caller's.</param>
    public static CommandEngine ForFiles(IFlywheelStore? store = null) =>
        new(new ServiceCollection().AddFileValidation(Settings.Load(), store));

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
