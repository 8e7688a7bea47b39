using System.Globalization;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using Flywheel.Core;

namespace Flywheel.Server.Files;

/// <summary>Rows of a user's file, CSV, Parquet or else JSONL by its ending, as JSON objects with their line numbers.</summary>
static class RowFile
{
    public static IEnumerable<(int Line, JsonElement Row)> Read(string path)
    {
        if (!File.Exists(path))
            throw new FlywheelException($"There is no file {path}.");
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" => ReadCsv(path),
            ".parquet" => ParquetRows.Read(path),
            _ => ReadJsonl(path),
        };
    }

    /// <summary>True when the lines of the file are its rows.</summary>
    public static bool IsJsonl(string path) => Path.GetExtension(path).ToLowerInvariant() is not (".csv" or ".parquet");

    /// <summary>A field that the command cannot do without.</summary>
    public static string Required(JsonElement row, string field, string path, int line)
    {
        if (JsonFields.Text(row, field) is { } text)
            return text;
        var has = row.ValueKind == JsonValueKind.Object
            ? string.Join(", ", row.EnumerateObject().Select(property => property.Name)) : "no fields";
        throw new FlywheelException($"{path}, line {line}: the field `{field}` is missing (the row has {has}).");
    }

    static IEnumerable<(int, JsonElement)> ReadJsonl(string path)
    {
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            JsonElement row;
            try
            {
                row = JsonSerializer.Deserialize<JsonElement>(line, FileJson.Lines);
            }
            catch (JsonException e)
            {
                throw new FlywheelException($"{path}, line {number} is no JSON: {e.Message.Split(" Path:")[0]}");
            }
            if (row.ValueKind != JsonValueKind.Object)
                throw new FlywheelException(
                    $"{path}, line {number} is no JSON object: write one object a line, such as {{\"id\": \"1\", \"text\": \"...\"}}.");
            yield return (number, row);
        }
    }

    static IEnumerable<(int, JsonElement)> ReadCsv(string path)
    {
        using var reader = new StreamReader(path);
        using var csv = new CsvReader(
            reader, new CsvConfiguration(CultureInfo.InvariantCulture) { BadDataFound = null, MissingFieldFound = null });
        if (!csv.Read() || !csv.ReadHeader())
            yield break;
        var header = csv.HeaderRecord!;
        while (csv.Read())
        {
            // A quote that nothing closes takes every row after it into one field.
            var record = csv.Parser.RawRecord;
            if (record.AsSpan().Count('"') % 2 == 1 && record.AsSpan().TrimEnd("\r\n").Contains('\n'))
                throw new FlywheelException(
                    $"{path}, line {csv.Parser.RawRow - record.AsSpan().Count('\n')}: a quote is opened and never closed. Close it, or "
                        + "double it (\"\") where it belongs to the text.");
            var row = new Dictionary<string, string?>(header.Length);
            foreach (var name in header)
                row[name] = csv.GetField(name);
            yield return (csv.Parser.RawRow, JsonSerializer.SerializeToElement(row));
        }
    }
}
