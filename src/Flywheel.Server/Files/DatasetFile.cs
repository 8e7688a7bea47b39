using System.Text.Json;
using Flywheel.Core.Datasets;
using Flywheel.Core;

namespace Flywheel.Server.Files;

/// <summary>A data set as a file, which <c>datasets add --file</c> reads back.</summary>
static class DatasetFile
{
    sealed record DatasetRow(
        long Ordinal, string Input, string? Expected, JsonElement? Attributes, string? Split, string? TraceId, string? SpanId,
        string? EndUser);

    static readonly (string, ColumnForm)[] Columns =
    [
        ("ordinal", ColumnForm.Whole), ("input", ColumnForm.Text), ("expected", ColumnForm.Text), ("attributes", ColumnForm.Json),
        ("split", ColumnForm.Text), ("trace_id", ColumnForm.Text), ("span_id", ColumnForm.Text), ("end_user", ColumnForm.Text),
    ];

    public static object Row(DatasetItem item) => Of(item);

    /// <summary>JSONL, or Parquet by the ending; moved into place when it is whole.</summary>
    /// <returns>Items written.</returns>
    public static async Task<long> WriteAsync(string path, IAsyncEnumerable<DatasetItem> items, Action<long> report, CancellationToken ct)
    {
        var (temporary, rows) = (path + ".part", 0L);
        if (!RowFile.IsJsonl(path) && Path.GetExtension(path).Equals(".parquet", StringComparison.OrdinalIgnoreCase))
        {
            await using var table = await ParquetTable.CreateAsync(
                temporary, Columns, new Dictionary<string, string> { ["flywheel"] = "dataset" }, ct);
            await foreach (var item in items.WithCancellation(ct))
            {
                await table.AddAsync(JsonSerializer.SerializeToElement(Of(item), FileJson.Lines), ct);
                report(++rows);
            }
            await table.FlushAsync(ct);
        }
        else if (RowFile.IsJsonl(path))
        {
            await using var writer = new StreamWriter(temporary);
            await foreach (var item in items.WithCancellation(ct))
            {
                await writer.WriteLineAsync(JsonSerializer.Serialize(Of(item), FileJson.Lines));
                report(++rows);
            }
        }
        else
            throw RequestException.BadField("out", $"--out {path}: data sets are written as JSONL or Parquet.");
        File.Move(temporary, path, overwrite: true);
        return rows;
    }

    static DatasetRow Of(DatasetItem item)
    {
        var it = item.Content;
        return new(
            item.Ordinal, it.Input, it.Expected, it.Attributes is null ? null : JsonElement.Parse(it.Attributes), it.Split,
            it.Source?.Trace,
            it.Source?.Span, it.EndUser);
    }
}
