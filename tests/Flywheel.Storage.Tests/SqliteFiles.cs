using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Tests;

public sealed class SqliteFiles : ITestDatabases, IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("flywheel-test-").FullName;
    int _made;

    public Task<string> NewAsync() => Task.FromResult($"sqlite:{_folder}/{Interlocked.Increment(ref _made)}.db");

    public DbConnection Connect(string url) => new SqliteConnection($"Data Source={url["sqlite:".Length..]};Pooling=false");

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
