using System.Globalization;
using System.Text;
using Flywheel.Core;

namespace Flywheel.Storage.Schema;

/// <summary>The SQL files inside this assembly, in the order in which they are applied.</summary>
/// <remarks>
/// Version 1 is <c>Schema/{Shared,Sqlite,Postgres}</c>, a file per topic: first the database's own <c>functions</c>, then the tables and
/// views of all topics (Shared), then their triggers (Sqlite or Postgres). Later versions are
/// <c>Schema/Migrations/{Shared,Sqlite,Postgres}/NNNN_name.sql</c> from 0002 on, never edited after release; a version may have a
/// shared file, which is applied first, and one per database. All files may hold the words of <see cref="SchemaDialect"/>.
/// </remarks>
internal static class SchemaFiles
{
    /// <summary>Each topic refers to the tables of earlier ones only.</summary>
    public static IReadOnlyList<string> Topics { get; } =
    [
        "projects", "traces", "metrics", "jobs", "verdicts", "labeling", "retrieval", "judging", "review", "counts", "prompts", "proposals",
        "datasets", "evaluation", "gateway", "telemetry",
    ];

    /// <summary>Makes the table of applied migrations if there is none.</summary>
    public static string MigrationTable(DatabaseKind kind) => Read("Shared/schema", kind)!;

    public static IReadOnlyList<Migration> Migrations(DatabaseKind kind) => [new(1, "0001_schema", Version1(kind)), .. Later(kind)];

    static string Version1(DatabaseKind kind)
    {
        var all = new StringBuilder();
        foreach (var path in Topics.Select(topic => $"Shared/{topic}").Prepend($"{kind}/functions")
            .Concat(Topics.Select(topic => $"{kind}/{topic}")))
            if (Read(path, kind) is { } sql)
                all.Append(sql).Append('\n');
        return all.ToString();
    }

    static IEnumerable<Migration> Later(DatabaseKind kind) => Resources()
        .Select(each => each.Path.Split('/'))
        .Where(path => path is ["Migrations", var folder, _] && (folder == "Shared" || folder == kind.ToString()))
        .GroupBy(path => path[2], StringComparer.Ordinal)
        .OrderBy(version => version.Key, StringComparer.Ordinal)
        .Select(version => new Migration(
            int.Parse(version.Key[..4], CultureInfo.InvariantCulture), version.Key,
            string.Join('\n', version.OrderByDescending(path => path[1] == "Shared").Select(path => Read(string.Join('/', path), kind)))));

    /// <returns>Null when there is no such file.</returns>
    static string? Read(string path, DatabaseKind kind)
    {
        if (Resources().FirstOrDefault(each => each.Path == path).Resource is not { } resource)
            return null;
        using var reader = new StreamReader(typeof(SchemaFiles).Assembly.GetManifestResourceStream(resource)!);
        return SchemaDialect.Translate(reader.ReadToEnd(), kind);
    }

    /// <summary>Paths below Schema, without the ending.</summary>
    internal static IEnumerable<(string Path, string Resource)> Resources() => typeof(SchemaFiles).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("schema/", StringComparison.Ordinal))
        .Select(name => (name["schema/".Length..^".sql".Length].Replace('\\', '/'), name));
}
