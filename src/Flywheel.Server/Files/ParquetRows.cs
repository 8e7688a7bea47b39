using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core;
using Parquet;
using Parquet.Schema;

namespace Flywheel.Server.Files;

/// <summary>Rows of a Parquet file with flat columns, as JSON objects; one row group in memory at a time.</summary>
/// <remarks>Blocks: what is waited for is a local file.</remarks>
static class ParquetRows
{
    public static IEnumerable<(int Row, JsonElement Value)> Read(string path)
    {
        using var file = File.OpenRead(path);
        var reader = Open(path, file);
        try
        {
            var number = 0;
            for (var group = 0; group < reader.RowGroupCount; group++)
                foreach (var row in Group(reader, group, path))
                    yield return (++number, row);
        }
        finally
        {
            Wait(reader.DisposeAsync());
        }
    }

    /// <exception cref="FlywheelException">It is no Parquet file, or has columns of lists or records.</exception>
    static ParquetReader Open(string path, Stream file)
    {
        ParquetReader reader;
        try
        {
            reader = ParquetReader.CreateAsync(file).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new FlywheelException($"{path} is no Parquet file: {e.Message}");
        }
        if (reader.Schema.DataFields.FirstOrDefault(field => field.MaxRepetitionLevel > 0 || field.Path.Length > 1) is not { } nested)
            return reader;
        Wait(reader.DisposeAsync());
        throw new FlywheelException($"{path}: the column `{nested.Path}` holds lists or records. Write them as JSON text, in one column.");
    }

    static IEnumerable<JsonElement> Group(ParquetReader reader, int group, string path)
    {
        var fields = reader.Schema.DataFields;
        var columns = new JsonNode?[fields.Length][];
        int rows;
        using (var open = reader.OpenRowGroupReader(group))
        {
            rows = checked((int)open.RowCount);
            for (var i = 0; i < fields.Length; i++)
                columns[i] = Column(open, fields[i], rows, path);
        }
        for (var at = 0; at < rows; at++)
        {
            var row = new JsonObject();
            for (var i = 0; i < fields.Length; i++)
                row[fields[i].Name] = columns[i][at];
            yield return JsonSerializer.SerializeToElement(row);
        }
    }

    static JsonNode?[] Column(ParquetRowGroupReader group, DataField field, int rows, string path)
    {
        var type = field.ClrType;
        if (type == typeof(ReadOnlyMemory<char>) || type == typeof(string))
        {
            var texts = new string?[rows];
            Wait(group.ReadAsync(field, texts.AsMemory()!));
            return [.. texts.Select(text => text is null ? null : (JsonNode)text)];
        }
        return type switch
        {
            _ when type == typeof(bool) => Values<bool>(value => value),
            _ when type == typeof(sbyte) => Values<sbyte>(value => value),
            _ when type == typeof(byte) => Values<byte>(value => value),
            _ when type == typeof(short) => Values<short>(value => value),
            _ when type == typeof(ushort) => Values<ushort>(value => value),
            _ when type == typeof(int) => Values<int>(value => value),
            _ when type == typeof(uint) => Values<uint>(value => value),
            _ when type == typeof(long) => Values<long>(value => value),
            _ when type == typeof(ulong) => Values<ulong>(value => value),
            _ when type == typeof(float) => Values<float>(value => float.IsFinite(value) ? value : null),
            _ when type == typeof(double) => Values<double>(value => double.IsFinite(value) ? value : null),
            _ when type == typeof(decimal) => Values<decimal>(value => value),
            _ when type == typeof(Guid) => Values<Guid>(value => value.ToString()),
            _ when type == typeof(DateTime) =>
                Values<DateTime>(value =>
                    DateTime.SpecifyKind(value, DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFK", CultureInfo.InvariantCulture)),
            _ => throw new FlywheelException(
                $"{path}: the column `{field.Name}` has the type {type.Name}, which is not read. Write it as text, a number, a time or "
                    + $"true and false."),
        };

        JsonNode?[] Values<T>(Func<T, JsonNode?> form) where T : struct
        {
            if (field.IsNullable)
            {
                var values = new T?[rows];
                Wait(group.ReadAsync(field, values.AsMemory()));
                return [.. values.Select(value => value is { } one ? form(one) : null)];
            }
            var all = new T[rows];
            Wait(group.ReadAsync(field, all.AsMemory()));
            return [.. all.Select(form)];
        }
    }

    static void Wait(ValueTask task) => task.AsTask().GetAwaiter().GetResult();
}
