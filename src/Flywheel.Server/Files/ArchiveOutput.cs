using System.Buffers;
using System.Text.Json;
using Flywheel.Core.Archives;
using Flywheel.Core;

namespace Flywheel.Server.Files;

/// <summary>Where an archive is written to.</summary>
interface IArchiveOutput : IAsyncDisposable
{
    Task BeginAsync(ArchiveHeader header, CancellationToken ct);

    Task AddAsync(ArchiveRow row, CancellationToken ct);

    /// <summary>Puts it in its place: what is there under its name is whole.</summary>
    Task FinishAsync(CancellationToken ct);
}

/// <summary>One line a row.</summary>
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

/// <summary>A folder with a Parquet file for every kind that has rows, and <c>archive.json</c>.</summary>
sealed class ParquetOutput(string folder) : IArchiveOutput
{
    readonly string _part = folder.TrimEnd('/', '\\') + ".part";
    ParquetTable? _table;
    ArchiveKind? _kind;

    public async Task BeginAsync(ArchiveHeader header, CancellationToken ct)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw RequestException.BadField("out", $"{folder} is not empty: name a new folder for the Parquet files.");
        if (Directory.Exists(_part))
            Directory.Delete(_part, recursive: true);
        Directory.CreateDirectory(_part);
        await File.WriteAllTextAsync(Path.Combine(_part, "archive.json"), JsonSerializer.Serialize(header, FileJson.Pretty), ct);
    }

    public async Task AddAsync(ArchiveRow row, CancellationToken ct)
    {
        if (_kind != row.Kind)
        {
            await CloseAsync(ct);
            _kind = row.Kind;
            _table = await ParquetTable.CreateAsync(
                Path.Combine(_part, row.Kind.Name + ".parquet"), row.Kind.Fields.Select(field => (field.Name, Form(field.Form))),
                new Dictionary<string, string> { ["flywheel"] = row.Kind.Name }, ct);
        }
        await _table!.AddAsync(ArchiveJson.Element(row), ct);
    }

    public async Task FinishAsync(CancellationToken ct)
    {
        await CloseAsync(ct);
        if (Directory.Exists(folder))
            Directory.Delete(folder);
        Directory.Move(_part, folder);
    }

    public async ValueTask DisposeAsync()
    {
        if (_table is not null)
            await _table.DisposeAsync();
        if (Directory.Exists(_part))
            Directory.Delete(_part, recursive: true);
    }

    async Task CloseAsync(CancellationToken ct)
    {
        if (_table is null)
            return;
        await _table.FlushAsync(ct);
        await _table.DisposeAsync();
        _table = null;
    }

    static ColumnForm Form(ArchiveForm form) => form switch
    {
        ArchiveForm.Json => ColumnForm.Json,
        ArchiveForm.Whole => ColumnForm.Whole,
        ArchiveForm.Number => ColumnForm.Number,
        ArchiveForm.YesNo => ColumnForm.YesNo,
        ArchiveForm.Time => ColumnForm.Time,
        _ => ColumnForm.Text,
    };
}
