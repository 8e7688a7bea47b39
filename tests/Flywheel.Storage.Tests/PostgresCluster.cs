using System.Data.Common;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Flywheel.Storage.Tests;

/// <summary>
/// A PostgreSQL server of this test run alone, or the one that FLYWHEEL_TEST_POSTGRES names. Each test gets a copy of a template
/// database, which is migrated when the first test asks for one.
/// </summary>
public sealed class PostgresCluster : ITestDatabases, IAsyncLifetime
{
    const string Missing =
        "PostgreSQL's programs were not found: run `apt-get install -y postgresql`, or set "
            + "FLYWHEEL_TEST_POSTGRES=postgres://user:password@host/database.";

    // A template can be copied by one at a time.
    readonly SemaphoreSlim _copying = new(1);
    readonly string _run = Guid.NewGuid().ToString("N")[..8];
    string? _folder, _programs;
    Uri _server = null!;
    bool _hasTemplate;
    int _made;

    public async ValueTask InitializeAsync()
    {
        _server = Environment.GetEnvironmentVariable("FLYWHEEL_TEST_POSTGRES") is { Length: > 0 } given
            ? new(given)
            : await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_folder is not null)
        {
            await RunAsync("pg_ctl", "-D", $"{_folder}/data", "-m", "immediate", "-w", "stop");
            Directory.Delete(_folder, recursive: true);
        }
        else
        {
            await AdministerAsync($"DROP DATABASE IF EXISTS {Template} WITH (FORCE)");
            for (var i = 1; i <= _made; i++)
                await AdministerAsync($"DROP DATABASE IF EXISTS {Name(i)} WITH (FORCE)");
        }
        _copying.Dispose();
    }

    public async Task<string> NewAsync()
    {
        await _copying.WaitAsync();
        try
        {
            if (!_hasTemplate)
            {
                await AdministerAsync($"CREATE DATABASE {Template}");
                await using var store = await FlywheelStore.OpenAsync(Url(Template));
                await store.MigrateAsync(CancellationToken.None);
                _hasTemplate = true;
            }
            return await CreateAsync($" TEMPLATE {Template}");
        }
        finally
        {
            _copying.Release();
        }
    }

    public Task<string> NewEmptyAsync() => CreateAsync("");

    async Task<string> CreateAsync(string from)
    {
        var name = Name(Interlocked.Increment(ref _made));
        await AdministerAsync($"CREATE DATABASE {name}{from}");
        return Url(name);
    }

    string Url(string database) => new UriBuilder(_server) { Path = "/" + database }.Uri.ToString();

    public DbConnection Connect(string url)
    {
        var uri = new Uri(url);
        var user = uri.UserInfo.Split(':');
        return new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host, Port = uri.Port > 0 ? uri.Port : 5432, Database = uri.AbsolutePath.TrimStart('/'), Username = user[0],
            Password = user.Length > 1 ? user[1] : null, Pooling = false,
        }.ConnectionString);
    }

    string Template => $"flywheel_{_run}";

    string Name(int i) => $"flywheel_{_run}_{i}";

    async Task AdministerAsync(string sql)
    {
        await using var connection = Connect(_server.ToString());
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    async Task<Uri> StartAsync()
    {
        _programs = Programs() ?? throw new InvalidOperationException(Missing);
        _folder = TestFolder.New("postgres");
        if (Environment.UserName == "root")
            await ProcessAsync("chown", "postgres", _folder);
        var port = FreePort();
        await RunAsync("initdb", "-D", $"{_folder}/data", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync");
        await RunAsync(
            "pg_ctl", "-D", $"{_folder}/data", "-l", $"{_folder}/log", "-w", "-t", "60", "-o",
            $"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={_folder} -c fsync=off -c full_page_writes=off -c "
                + "max_connections=300 -c deadlock_timeout=200ms",
            "start");
        return new($"postgres://postgres@127.0.0.1:{port}/postgres");
    }

    static string? Programs()
    {
        var installed = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(folder => folder, StringComparer.Ordinal)
            .Select(folder => $"{folder}/bin")
            : [];
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return installed.Concat(onPath).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>PostgreSQL refuses to run as root.</summary>
    Task RunAsync(string program, params string[] arguments) => Environment.UserName == "root"
        ? ProcessAsync("runuser", ["-u", "postgres", "--", $"{_programs}/{program}", .. arguments])
        : ProcessAsync($"{_programs}/{program}", arguments);

    async Task ProcessAsync(string program, params string[] arguments)
    {
        // Output is left alone: the server would keep a pipe open.
        var start = new ProcessStartInfo(program) { WorkingDirectory = _folder };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
