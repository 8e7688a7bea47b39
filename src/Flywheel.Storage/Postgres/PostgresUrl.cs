using Npgsql;

namespace Flywheel.Storage.Postgres;

/// <summary>Reads <c>postgres://user:password@host:port/database?option=value</c>.</summary>
internal static class PostgresUrl
{
    const int Connections = 40;

    /// <exception cref="ArgumentException">The url is malformed; the message does not repeat it, for it may hold a password.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri))
            throw new ArgumentException("The PostgreSQL url is malformed: use postgres://USER:PASSWORD@HOST:PORT/DATABASE.", nameof(url));
        var database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/'));
        if (database.Length == 0)
            throw new ArgumentException(
                "The PostgreSQL url names no database: use postgres://USER:PASSWORD@HOST:PORT/DATABASE.", nameof(url));

        var settings = new NpgsqlConnectionStringBuilder { MaxPoolSize = Connections, Database = database };
        if (uri.Host.Length > 0)
            settings.Host = uri.Host;
        if (uri.Port > 0)
            settings.Port = uri.Port;
        var user = uri.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
            settings.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length > 1)
            settings.Password = Uri.UnescapeDataString(user[1]);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var left, var right] ? (left, Uri.UnescapeDataString(right)) : (pair, "");
            try
            {
                // libpq writes sslmode=verify-full, this driver Ssl Mode=VerifyFull.
                settings[name == "sslmode" ? "Ssl Mode" : name] = name == "sslmode"
                    ? value.Replace("-", "", StringComparison.Ordinal) : value;
            }
            catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidCastException)
            {
                throw new ArgumentException(
                    $"The PostgreSQL url has an option '{name}' that is unknown or has a bad value.", nameof(url), fault);
            }
        }
        if (string.IsNullOrEmpty(settings.Host))
            throw new ArgumentException("The PostgreSQL url names no host: use postgres://USER:PASSWORD@HOST:PORT/DATABASE.", nameof(url));
        return settings;
    }
}
