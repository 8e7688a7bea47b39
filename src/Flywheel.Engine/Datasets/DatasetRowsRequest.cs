using System.Text.Json;

namespace Flywheel.Engine.Datasets;

/// <summary>Rows of a file that become items of a data set.</summary>
/// <param name="Rows">With line numbers from 1; read once, as the items are added.</param>
/// <param name="Note">What the version is; null for nothing.</param>
/// <param name="Create">Create the data set if it does not exist. A file that cannot be read leaves no empty data set.</param>
public sealed record DatasetRowsRequest(
    string Dataset, IEnumerable<(int Line, JsonElement Row)> Rows, DatasetFields Fields, string? Note = null, bool Create = false);
