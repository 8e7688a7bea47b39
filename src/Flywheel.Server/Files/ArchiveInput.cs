using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Archives;
using Flywheel.Engine.Archives;

namespace Flywheel.Server.Files;

/// <summary>Reads what <c>flywheel export</c> wrote, a JSONL file or a folder of Parquet files.</summary>
static class ArchiveInput
{
    const string HeaderFile = "archive.json";

    /// <returns>Null when it is no archive.</returns>
    /// <exception cref="FlywheelException">A newer program wrote it, or it is a folder without a header.</exception>
    public static ArchiveHeader? Header(string path)
    {
        ArchiveHeader? header;
        try
        {
            if (Directory.Exists(path))
                header = File.Exists(Path.Combine(path, HeaderFile))
                    ? JsonSerializer.Deserialize<ArchiveHeader>(File.ReadAllText(Path.Combine(path, HeaderFile)), FileJson.Lines)
                    : throw new FlywheelException($"{path} has no {HeaderFile}: it is no export, or was cut short.");
            else if (!RowFile.IsJsonl(path) || File.ReadLines(path).FirstOrDefault() is not { } first
                || !first.Contains("\"archive\"", StringComparison.Ordinal))
                return null;
            else
                header = JsonElement.Parse(first) is { ValueKind: JsonValueKind.Object } json
                    && JsonFields.Text(json, "type") == ArchiveHeader.Name
                    ? json.Deserialize<ArchiveHeader>(FileJson.Lines)
                    : null;
        }
        catch (JsonException e)
        {
            throw new FlywheelException($"{path}: the header cannot be read: {e.Message.Split(" Path:")[0]}");
        }
        return header is null || header.Version <= ArchiveHeader.Current
            ? header
            : throw new FlywheelException(
                $"{path} was written by a newer Flywheel (archive version {header.Version}, this one knows {ArchiveHeader.Current}).");
    }

    /// <summary>The rows, with their lines and kinds, in the order in which they can be taken in.</summary>
    public static IEnumerable<(int Line, string Type, JsonElement Row)> Read(string path, IReadOnlyList<ArchiveKind> kinds)
    {
        if (!Directory.Exists(path))
        {
            foreach (var (line, row) in RowFile.Read(path).Skip(1))
                yield return (line, JsonFields.Text(row, "type") ?? "", row);
            yield break;
        }
        foreach (var kind in kinds)
            if (Path.Combine(path, kind.Name + ".parquet") is var file && File.Exists(file))
                foreach (var (line, row) in RowFile.Read(file))
                    yield return (line, kind.Name, row);
    }
}
