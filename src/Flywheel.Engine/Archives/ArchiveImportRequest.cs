using System.Text.Json;

namespace Flywheel.Engine.Archives;

/// <summary>An archive to take in.</summary>
/// <param name="Source">Name of the file or folder, for the audit.</param>
/// <param name="Rows">With their lines and kinds; read once.</param>
/// <param name="JsonAsText">JSON columns hold text, as in a Parquet file.</param>
public sealed record ArchiveImportRequest(
    string Source, ArchiveHeader Header, IEnumerable<(int Line, string Type, JsonElement Row)> Rows, bool JsonAsText);
