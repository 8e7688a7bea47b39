using System.Buffers;
using System.Text.Json;
using Flywheel.Core.Archives;
using Flywheel.Engine.Archives;

namespace Flywheel.Server.Files;

/// <summary>One line per row.</summary>
/// <param name="path">Null for stdout.</param>
sealed class JsonLinesOutput(string? path) : IArchiveOutput
{
    readonly Stream _stream = path is null ? Console.OpenStandardOutput() : File.Create(path + ".part", 1 << 16);
    readonly ArrayBufferWriter<byte> _buffer = new();

    public async Task BeginAsync(ArchiveHeader header, CancellationToken ct)
    {
        await _stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(header, FileJson.Lines), ct);
        await _stream.WriteAsync("\n"u8.ToArray(), ct);
    }

    public async Task AddAsync(ArchiveRow row, CancellationToken ct) => await _stream.WriteAsync(ArchiveJson.Line(row, _buffer), ct);

    public async Task FinishAsync(CancellationToken ct)
    {
        await _stream.FlushAsync(ct);
        if (path is null)
            return;
        await _stream.DisposeAsync();
        File.Move(path + ".part", path, overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        if (path is not null)
            File.Delete(path + ".part");
    }
}
