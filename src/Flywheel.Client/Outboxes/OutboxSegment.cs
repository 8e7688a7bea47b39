using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Flywheel.Client.Outboxes;

/// <summary>An entry and where its line ends.</summary>
internal readonly record struct OutboxLine(OutboxEntry Entry, long End);

/// <summary>What a segment had from a place on.</summary>
/// <param name="Next">Where to read on.</param>
/// <param name="Damaged">Lines that could not be read and were passed over.</param>
internal sealed record OutboxLines(IReadOnlyList<OutboxLine> Entries, long Next, int Damaged);

/// <summary>One file of an outbox: a header that says how far it was sent, then lines, appended and never changed.</summary>
/// <remarks>
/// Who has it open owns it: the file is locked (flock on Unix), and the lock ends with the process, however that ends. Appending and
/// reading may go on at once; each of them is for one thread at a time.
/// </remarks>
internal sealed class OutboxSegment : IDisposable
{
    const string Extension = ".outbox";
    const string Title = "flywheel-outbox 1 sent ";
    const int HeaderBytes = 64;
    static readonly TimeSpan LeftEmpty = TimeSpan.FromMinutes(1);
    const int Chunk = 256 * 1024;

    readonly SafeFileHandle file;
    long length;
    long sent;

    OutboxSegment(SafeFileHandle file, string path, long length, long sent) =>
        (this.file, Path, this.length, this.sent) = (file, path, length, sent);

    public string Path { get; }

    /// <summary>Bytes that are on disk for good.</summary>
    public long Length => Interlocked.Read(ref length);

    public long Sent => Interlocked.Read(ref sent);

    public bool IsSent => Sent >= Length;

    /// <summary>Files of the folder, oldest first; another process may have them.</summary>
    public static IEnumerable<string> In(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*" + Extension).Order(StringComparer.Ordinal) : [];

    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static OutboxSegment Create(string folder)
    {
        // What people wrote to the application is for its own user's eyes.
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        for (var attempt = 0; ; attempt++)
            try
            {
                return CreateIn(folder);
            }
            catch (IOException) when (attempt < 3)
            {
                // Another process looked at the file between our making it and our locking it.
            }
    }

    static OutboxSegment CreateIn(string folder)
    {
        var path = System.IO.Path.Combine(folder, Guid.CreateVersion7().ToString("N") + Extension);
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        try
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            var segment = new OutboxSegment(file, path, HeaderBytes, HeaderBytes);
            segment.WriteHeader(HeaderBytes);
            if (!File.Exists(path))
                throw new IOException($"{path} is gone.");
            return segment;
        }
        catch
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Takes a file that nobody has open; null when somebody has, when it is gone, or when it is none of ours.</summary>
    public static OutboxSegment? Adopt(string path)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception theirs) when (theirs is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        var length = RandomAccess.GetLength(file);
        if (length <= HeaderBytes)
        {
            // Just made, or left by a process that died before its first span.
            if (TimeProvider.System.GetUtcNow() - File.GetLastWriteTimeUtc(file) > LeftEmpty)
                File.Delete(path);
            file.Dispose();
            return null;
        }
        return new(file, path, length, ReadHeader(file, length));
    }

    /// <summary>Appends lines and waits until they are on disk. When it throws, none of them is there.</summary>
    public void Append(ReadOnlySpan<byte> lines, Action<string>? beforeWrite)
    {
        var at = Length;
        try
        {
            beforeWrite?.Invoke(Path);
            RandomAccess.Write(file, lines, at);
            RandomAccess.FlushToDisk(file);
        }
        catch
        {
            // What is left of it, should this fail as well, is overwritten by the next lines.
            try
            {
                RandomAccess.SetLength(file, at);
            }
            catch (IOException)
            {
            }
            throw;
        }
        Interlocked.Exchange(ref length, at + lines.Length);
    }

    /// <summary>Reads on from a place that an earlier reading ended at.</summary>
    public OutboxLines Read(long from, int maxEntries)
    {
        var entries = new List<OutboxLine>();
        var (damaged, end, at) = (0, Length, from);
        var buffer = new byte[(int)Math.Min(Chunk, Math.Max(1, end - from))];
        while (at < end && entries.Count < maxEntries)
        {
            var read = Fill(buffer, at, end);
            var used = 0;
            while (entries.Count < maxEntries && buffer.AsSpan(used, read - used).IndexOf((byte)'\n') is >= 0 and var line)
            {
                if (OutboxEntry.ReadLine(buffer.AsSpan(used, line)) is { } entry)
                    entries.Add(new(entry, at + used + line + 1));
                else
                    damaged++;
                used += line + 1;
            }
            at += used;
            if (used > 0 || read == 0)
            {
                if (entries.Count > 0)
                    break;
                if (read == 0)
                    at = end;
            }
            else if (at + read >= end)
            {
                // The writer died in the middle of a line that it had told nobody of.
                damaged++;
                at = end;
            }
            else
                buffer = new byte[(int)Math.Min(2L * buffer.Length, end - at)];
        }
        return new(entries, at, damaged);
    }

    /// <summary>Notes how far it was sent. Not forced to disk: after a crash some of it is sent again, which is harmless.</summary>
    public void MarkSent(long upto)
    {
        Interlocked.Exchange(ref sent, upto);
        WriteHeader(upto);
    }

    public void Delete()
    {
        File.Delete(Path);
        Dispose();
    }

    public void Dispose() => file.Dispose();

    int Fill(byte[] buffer, long at, long end)
    {
        var wanted = (int)Math.Min(buffer.Length, end - at);
        var read = 0;
        while (read < wanted)
        {
            var more = RandomAccess.Read(file, buffer.AsSpan(read, wanted - read), at + read);
            if (more == 0)
                break;
            read += more;
        }
        return read;
    }

    void WriteHeader(long upto)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{Title}{upto:x16} {~upto:x16}").PadRight(HeaderBytes - 1) + "\n";
        RandomAccess.Write(file, Encoding.ASCII.GetBytes(text), 0);
    }

    /// <summary>How far it was sent; from the start when the header cannot be trusted.</summary>
    static long ReadHeader(SafeFileHandle file, long length)
    {
        Span<byte> bytes = stackalloc byte[HeaderBytes];
        var read = RandomAccess.Read(file, bytes, 0);
        var text = Encoding.ASCII.GetString(bytes[..read]);
        return text.StartsWith(Title, StringComparison.Ordinal)
            && long.TryParse(text.AsSpan(Title.Length, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var upto)
            && long.TryParse(text.AsSpan(Title.Length + 17, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var check)
            && upto == ~check && upto >= HeaderBytes && upto <= length
            ? upto
            : HeaderBytes;
    }
}
