using Flywheel.Core.Sandboxing;

namespace Flywheel.Validators.Code;

/// <summary>What a statement may name in a database: its own tables, and functions that do no more than compute.</summary>
/// <remarks>
/// SQLite's authorizer decides this by itself. PostgreSQL lets every role read its catalogues and call a few thousand functions, so there
/// names decide: those of the system are refused unless the user's own schema has them, and so are functions that can act or look around.
/// </remarks>
sealed class SqlNames(SandboxReady ready)
{
    static readonly HashSet<string> Harmless = new(StringComparer.Ordinal) { "pg_typeof" };

    readonly HashSet<string> _tables = ready.Tables!.Select(table => table.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
    readonly HashSet<string> _own = ready.Tables!.SelectMany(table => table.Columns.Append(table.Name))
        .ToHashSet(StringComparer.OrdinalIgnoreCase);
    readonly HashSet<string> _functions = (ready.Functions ?? []).ToHashSet(StringComparer.Ordinal);

    public bool IsTable(string name) => _tables.Contains(name);

    /// <returns>Null when nothing speaks against it.</returns>
    public string? WhyRefused(SqlText text, SqlFlavour flavour)
    {
        if (flavour != SqlFlavour.Postgres)
            return null;
        foreach (var called in text.Called)
            if (_functions.Contains(called))
                return $"it calls `{called}`, which is not allowed here";
        foreach (var piece in text.Pieces)
            if (piece.IsName && IsSystem(piece.Value.ToLowerInvariant()) && !_own.Contains(piece.Value))
                return $"it names `{piece.Value}`, which belongs to the database system";
        return null;
    }

    static bool IsSystem(string name) =>
        name.StartsWith("pg_", StringComparison.Ordinal) && !Harmless.Contains(name) || name == "information_schema";
}
