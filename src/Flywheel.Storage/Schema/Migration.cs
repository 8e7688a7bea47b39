namespace Flywheel.Storage.Schema;

/// <summary>A numbered SQL script that brings a database from one version to the next.</summary>
/// <param name="Number">1 is the whole schema, for an empty database.</param>
/// <param name="Name">Such as <c>0001_schema</c>.</param>
internal sealed record Migration(int Number, string Name, string Sql)
{
    /// <summary>What is still to be applied.</summary>
    /// <exception cref="StoreException">The database has migrations that this program does not know.</exception>
    public static IReadOnlyList<Migration> Missing(IReadOnlyList<Migration> known, IReadOnlyList<(int Number, string Name)> applied)
    {
        if (applied.Where(one => known.All(other => (other.Number, other.Name) != one)).ToArray() is [.., var newest])
            throw new StoreException(newest.Number <= known[^1].Number
                ? $"The database was made by an unreleased program: it has migration {newest.Name}, which this program does not know. "
                    + "Export its data with that program, and open a new database."
                : $"The database is newer than this program: it has migration {newest.Name}, and this program ends at {known[^1].Name}. "
                    + "Start a newer program, or open another database.");
        return known.Where(one => applied.All(other => other.Number != one.Number)).ToArray();
    }
}
