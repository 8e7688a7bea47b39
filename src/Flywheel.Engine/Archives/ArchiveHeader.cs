namespace Flywheel.Engine.Archives;

/// <summary>The first line of an archive, or <c>archive.json</c> beside Parquet files.</summary>
/// <param name="Type">Always <c>archive</c>.</param>
/// <param name="Rows">By kind; a file with fewer was cut short.</param>
public sealed record ArchiveHeader(
    string Type, int Version, string Project, DateTimeOffset ExportedAt, IReadOnlyDictionary<string, long> Rows)
{
    public const string Name = "archive";
    public const int Current = 1;
}
