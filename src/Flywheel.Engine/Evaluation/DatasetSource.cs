using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core.Datasets;

namespace Flywheel.Engine.Evaluation;

/// <summary>The items of a version of a data set as rows.</summary>
/// <param name="items">Reads the version from its beginning.</param>
public sealed class DatasetSource(DatasetVersion version, Func<IEnumerable<DatasetItem>> items) : IEvalSource
{
    static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Name { get; } = $"{version.Dataset}@{version.Number}";

    public DatasetVersion? Dataset => version;

    public Task<(string Hash, long Rows)> FingerprintAsync(CancellationToken ct) => Task.FromResult((version.ContentHash, version.Items));

    public IEnumerable<RawRow> Read(IReadOnlySet<int> done) =>
        items().Where(item => !done.Contains((int)item.Ordinal)).Select(item => new RawRow((int)item.Ordinal, Json(item)));

    /// <summary>An item as a row: its attributes are fields beside what is its own.</summary>
    static string Json(DatasetItem item)
    {
        var row = item.Content.Attributes is { } attributes ? JsonNode.Parse(attributes)!.AsObject() : [];
        row["input"] = item.Content.Input;
        row["expected"] = item.Content.Expected;
        if (item.Content.Split is not null)
            row["split"] = item.Content.Split;
        if (item.Content.EndUser is not null)
            row["end_user"] = item.Content.EndUser;
        return row.ToJsonString(Plain);
    }
}
