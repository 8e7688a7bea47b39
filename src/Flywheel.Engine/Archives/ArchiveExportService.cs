using Flywheel.Core;
using Flywheel.Core.Archives;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Archives;

/// <summary>Exports everything of a project, as it stands at one moment.</summary>
public sealed class ArchiveExportService(IArchiveStore archives, IProjectStore projects, TimeProvider clock)
{
    /// <param name="what">Kinds of rows in singular or plural; empty for all.</param>
    /// <param name="report">Called with the number of rows written, and how many there are.</param>
    /// <returns>Number of rows written.</returns>
    /// <exception cref="RequestException"><c>invalid_what</c>; then nothing was written.</exception>
    public async Task<long> ExportAsync(
        Caller caller, IReadOnlyCollection<string> what, IArchiveOutput output, Action<long, long> report, CancellationToken ct)
    {
        var kinds = Kinds(what);
        var name = (await projects.GetAsync(caller.Project, ct))!.Name;
        long rows = 0, total = 0;
        await archives.ReadAsync(
            caller.Project, kinds,
            async counts =>
            {
                total = counts.Values.Sum();
                var present = counts.Where(each => each.Value > 0).ToDictionary();
                await output.BeginAsync(new(ArchiveHeader.Name, ArchiveHeader.Current, name, clock.GetUtcNow(), present), ct);
            },
            async row =>
            {
                await output.AddAsync(row, ct);
                report(++rows, total);
            },
            ct);
        await output.FinishAsync(ct);
        return rows;
    }

    /// <summary>By name; the plural means the same, and metrics come with their versions.</summary>
    IReadOnlyCollection<ArchiveKind> Kinds(IReadOnlyCollection<string> wanted)
    {
        var all = archives.Kinds;
        if (wanted.Count == 0)
            return all;
        var names = new HashSet<string>();
        foreach (var word in wanted)
        {
            var name = all.FirstOrDefault(kind => Is(kind, word))?.Name
                ?? throw RequestException.BadField(
                    "what", $"`what` knows no `{word}`: use {string.Join(", ", all.Select(kind => kind.Name))}.");
            names.UnionWith(name switch
            {
                "metric" => ["metric", "metric_version"],
                "dataset" => ["dataset", "dataset_version", "dataset_item"],
                _ => new[] { name },
            });
        }
        return [.. all.Where(kind => names.Contains(kind.Name))];
    }

    static bool Is(ArchiveKind kind, string word) =>
        kind.Name == word || kind.Name + "s" == word || (kind.Name.EndsWith('y') && kind.Name[..^1] + "ies" == word);
}
