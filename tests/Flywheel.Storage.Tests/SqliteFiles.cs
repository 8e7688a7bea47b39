using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Tests;

public sealed class SqliteFiles : ITestDatabases, IDisposable
{
    readonly string _folder = TestFolder.New("test");
    int _made;

    public async Task<string> NewAsync()
    {
        var path = NewPath();
        await SqliteTemplate.CopyAsync(path);
        return "sqlite:" + path;
    }

    public Task<string> NewEmptyAsync() => Task.FromResult("sqlite:" + NewPath());

    public DbConnection Connect(string url) => new SqliteConnection($"Data Source={url["sqlite:".Length..]};Pooling=false");

    string NewPath() => $"{_folder}/{Interlocked.Increment(ref _made)}.db";

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
