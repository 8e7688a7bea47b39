using System.Globalization;

namespace Flywheel.Storage;

/// <summary>A numbered SQL script inside this assembly.</summary>
/// <param name="Name">Such as <c>0001_foundation</c>.</param>
internal sealed record Migration(int Number, string Name, string Sql)
{
    /// <summary>All scripts of one database in order.</summary>
    /// <param name="folder"><c>sqlite</c> or <c>postgres</c>.</param>
    public static IReadOnlyList<Migration> Of(string folder)
    {
        var assembly = typeof(Migration).Assembly;
        var found = new List<Migration>();
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(folder + "/", StringComparison.Ordinal))
                continue;
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var name = resource[(folder.Length + 1)..^".sql".Length];
            found.Add(new(int.Parse(name[..4], CultureInfo.InvariantCulture), name, reader.ReadToEnd()));
        }
        return found.OrderBy(migration => migration.Number).ToArray();
    }

    /// <summary>What is still to be applied.</summary>
    /// <exception cref="StoreException">The database knows migrations that this program does not.</exception>
    public static IReadOnlyList<Migration> Missing(IReadOnlyList<Migration> known, IReadOnlyList<(int Number, string Name)> applied)
    {
        if (applied.Where(one => known.All(other => other.Number != one.Number)).ToArray() is [.., var newest])
            throw new StoreException(
                $"The database is newer than this program: it has migration {newest.Name}, and this program ends at {known[^1].Name}. "
                + "Start a newer program, or open another database.");
        return known.Where(one => applied.All(other => other.Number != one.Number)).ToArray();
    }
}
