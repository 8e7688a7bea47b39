namespace Flywheel.Validators.Sandboxing;

/// <summary>Copies of SQLite files in a folder that nobody else reads, one a file, made anew when the file changed.</summary>
/// <remarks>
/// Opening a database, even to read it, can write beside it (<c>-wal</c>, <c>-shm</c>, recovery). So the original is read as plain bytes,
/// with its write-ahead log or journal, and everything else happens to the copy.
/// </remarks>
/// <param name="settle">Takes a copied log or journal into the copy.</param>
sealed class PrivateCopies(Func<string, CancellationToken, Task> settle) : IDisposable
{
    const int Attempts = 20;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);
    static readonly string[] Companions = ["-wal", "-journal"];

    readonly SemaphoreSlim _turn = new(1);
    readonly Dictionary<string, (string Stamp, string Copy)> _copies = new(StringComparer.Ordinal);
    DirectoryInfo? _folder;
    int _made;

    /// <returns>Path of a copy that nobody writes.</returns>
    public async Task<string> OfAsync(string file, CancellationToken ct)
    {
        file = Path.GetFullPath(file);
        await _turn.WaitAsync(ct);
        try
        {
            if (!File.Exists(file))
                throw new SandboxException($"there is no database file {file}: check the path.");
            var stamp = Stamp(file);
            if (_copies.TryGetValue(file, out var known) && known.Stamp == stamp && File.Exists(known.Copy))
                return known.Copy;
            var copy = await MakeAsync(file, ct);
            if (known.Copy is not null)
                File.Delete(known.Copy);
            return copy;
        }
        finally
        {
            _turn.Release();
        }
    }

    async Task<string> MakeAsync(string file, CancellationToken ct)
    {
        _folder ??= Directory.CreateTempSubdirectory("flywheel-sandbox-");
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var copy = Path.Combine(_folder.FullName, $"{++_made}.sqlite");
            var stamp = Stamp(file);
            try
            {
                Copy(file, copy);
                var hasCompanion = false;
                foreach (var companion in Companions.Where(companion => new FileInfo(file + companion) is { Exists: true, Length: > 0 }))
                {
                    Copy(file + companion, copy + companion);
                    hasCompanion = true;
                }
                if (Stamp(file) == stamp)
                {
                    if (hasCompanion)
                        await settle(copy, ct);
                    _copies[file] = (stamp, copy);
                    return copy;
                }
            }
            catch (IOException) when (attempt + 1 < Attempts)
            {
                // A companion may vanish while it is copied.
            }
            catch (UnauthorizedAccessException e)
            {
                throw new SandboxException($"the database file {file} cannot be read: {e.Message}", e);
            }
            Delete(copy);
            await Task.Delay(Pause, ct);
        }
        throw new SandboxException($"{file} is being written all the time, so no whole copy could be made: name a copy of it.");
    }

    /// <summary>The bytes alone: what may be read of the original may not be what may be done to the copy.</summary>
    static void Copy(string from, string to)
    {
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var target = new FileStream(to, FileMode.CreateNew, FileAccess.Write);
        source.CopyTo(target);
    }

    /// <summary>Differs when the file or its log may have.</summary>
    static string Stamp(string file) => string.Join('|', Companions.Prepend("").Select(suffix => new FileInfo(file + suffix))
        .Select(info => info.Exists ? $"{info.Length}:{info.LastWriteTimeUtc.Ticks}" : "-"));

    static void Delete(string copy)
    {
        foreach (var suffix in Companions.Prepend(""))
            File.Delete(copy + suffix);
    }

    public void Dispose()
    {
        _turn.Dispose();
        if (_folder is { Exists: true })
            _folder.Delete(recursive: true);
    }
}
