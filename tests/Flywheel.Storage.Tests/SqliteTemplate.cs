namespace Flywheel.Storage.Tests;

/// <summary>A SQLite file with the current schema, migrated once and copied for each test.</summary>
public static class SqliteTemplate
{
    static readonly Lazy<Task<byte[]>> Bytes = new(MakeAsync);

    public static async Task CopyAsync(string path) => await File.WriteAllBytesAsync(path, await Bytes.Value);

    static async Task<byte[]> MakeAsync()
    {
        var folder = TestFolder.New("template");
        var path = Path.Combine(folder, "template.db");
        await using (var store = await FlywheelStore.OpenAsync("sqlite:" + path))
            await store.MigrateAsync(CancellationToken.None);
        var bytes = await File.ReadAllBytesAsync(path);
        Directory.Delete(folder, recursive: true);
        return bytes;
    }
}
