using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Parquet;
using Parquet.Schema;

namespace Flywheel.Server.Files;

/// <summary>What a column of a written Parquet file holds; every column may hold nulls.</summary>
enum ColumnForm
{
    Text,

    /// <summary>JSON as its text.</summary>
    Json,
    Whole,
    Number,
    YesNo,

    /// <summary>A time of microseconds, UTC.</summary>
    Time,
}

/// <summary>Writes JSON objects as rows of a Parquet file, a row group at a time.</summary>
sealed class ParquetTable : IAsyncDisposable
{
    /// <summary>A group ends at so many rows, or characters of text, whichever comes first: that is what is in memory.</summary>
    const int GroupRows = 20_000, GroupCharacters = 16_000_000;

    readonly Stream _file;
    readonly ParquetWriter _writer;
    readonly (string Name, ColumnForm Form, DataField Field)[] _columns;
    readonly List<JsonElement> _rows = [];
    long _characters;

    ParquetTable(Stream file, ParquetWriter writer, (string, ColumnForm, DataField)[] columns) =>
        (_file, _writer, _columns) = (file, writer, columns);

    /// <param name="about">Key and value in the file's footer.</param>
    public static async Task<ParquetTable> CreateAsync(
        string path, IEnumerable<(string Name, ColumnForm Form)> columns, IReadOnlyDictionary<string, string> about, CancellationToken ct)
    {
        var fields = columns.Select(column => (column.Name, column.Form, Field: Field(column.Name, column.Form))).ToArray();
        var file = File.Create(path);
        try
        {
            var writer = await ParquetWriter.CreateAsync(
                new ParquetSchema(fields.Select(each => (Field)each.Field)), file,
                new ParquetOptions { CompressionMethod = CompressionMethod.Snappy },
                cancellationToken: ct);
            writer.CustomMetadata = about.ToDictionary();
            return new(file, writer, fields);
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    public async Task AddAsync(JsonElement row, CancellationToken ct)
    {
        _rows.Add(row);
        foreach (var (name, form, _) in _columns)
            if (form is ColumnForm.Text or ColumnForm.Json && row.TryGetProperty(name, out var value))
                _characters += value.ValueKind == JsonValueKind.String ? value.GetString()!.Length : 16;
        if (_rows.Count >= GroupRows || _characters >= GroupCharacters)
            await FlushAsync(ct);
    }

    public async Task FlushAsync(CancellationToken ct)
    {
        if (_rows.Count == 0)
            return;
        using (var group = _writer.CreateRowGroup())
        {
            foreach (var (name, form, field) in _columns)
                switch (form)
                {
                    case ColumnForm.Whole:
                        await group.WriteAsync<long>(field, Values<long>(name, value => value.GetInt64()), cancellationToken: ct);
                        break;
                    case ColumnForm.Number:
                        await group.WriteAsync<double>(field, Values<double>(name, value => value.GetDouble()), cancellationToken: ct);
                        break;
                    case ColumnForm.YesNo:
                        await group.WriteAsync<bool>(field, Values<bool>(name, value => value.GetBoolean()), cancellationToken: ct);
                        break;
                    case ColumnForm.Time:
                        await group.WriteAsync<DateTime>(
                            field, Values<DateTime>(name, value => value.GetDateTimeOffset().UtcDateTime), cancellationToken: ct);
                        break;
                    default:
                        await group.WriteAsync(field, _rows.Select(row => Value(row, name) is { } value ? Text(value) : null).ToArray()!);
                        break;
                }
            group.CompleteValidate();
        }
        _rows.Clear();
        _characters = 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        await _file.DisposeAsync();
    }

    ReadOnlyMemory<T?> Values<T>(string name, Func<JsonElement, T> read) where T : struct
    {
        var values = new T?[_rows.Count];
        for (var i = 0; i < values.Length; i++)
            if (Value(_rows[i], name) is { } value)
                values[i] = read(value);
        return values;
    }

    static JsonElement? Value(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();

    static DataField Field(string name, ColumnForm form) => form switch
    {
        ColumnForm.Whole => new DataField(name, typeof(long), true),
        ColumnForm.Number => new DataField(name, typeof(double), true),
        ColumnForm.YesNo => new DataField(name, typeof(bool), true),
        ColumnForm.Time => new DateTimeDataField(name, DateTimeFormat.Timestamp, true, DateTimeTimeUnit.Micros, true),
        ColumnForm.Text or ColumnForm.Json => new DataField(name, typeof(string), true),
        _ => throw new FlywheelException(string.Create(CultureInfo.InvariantCulture, $"There is no column form {form}.")),
    };
}
