using Flywheel.Core;

namespace Flywheel.Client.Hosting;

/// <summary>An application's connection as its host makes it: where the loop is, and how spans get there.</summary>
/// <remarks>Read from a section of the configuration, <c>Flywheel</c> unless another is named, and changed by code after it.</remarks>
public sealed class FlywheelHostOptions : FlywheelOptions
{
    /// <summary>
    /// The server's address, such as <c>http://127.0.0.1:5151</c>; null takes FLYWHEEL_URL of the environment, unless <see cref="Loop"/> is
    /// set.
    /// </summary>
    public Uri? Server { get; set; }

    /// <summary>
    /// Null for a server without authentication; where <see cref="Server"/> is null, FLYWHEEL_API_KEY of the environment.
    /// </summary>
    public string? ApiKey { get; set; }

    /// <summary>Null for the key's own project; where <see cref="Server"/> is null, FLYWHEEL_PROJECT of the environment.</summary>
    public string? Project { get; set; }

    /// <summary>Makes another loop than a server, such as the engine in this process; it is disposed with the services.</summary>
    public Func<IServiceProvider, ILoop>? Loop { get; set; }

    /// <summary>How long a prompt of the registry is used before it is asked for again.</summary>
    public TimeSpan PromptsFresh { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// False leaves <see cref="FlywheelConnection.Default"/> alone. Otherwise the connection without a key becomes it, if there is none, so
    /// that steps outside any call find it.
    /// </summary>
    public bool IsDefault { get; set; } = true;
}
