using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Archives;
using Flywheel.Engine.Archives;

namespace Flywheel.Server.Files;

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
