using Flywheel.Core;
using Flywheel.Core.Sandboxing;
using Flywheel.Validators.Sandboxing;

namespace Flywheel.Validators.Code;

/// <summary>A database that statements are checked against.</summary>
/// <param name="Location">A file's path, or <c>postgres://…</c>.</param>
public sealed record CodeDatabase(SqlFlavour Flavour, string Location)
{
    public async Task<SandboxOpening> OpenAsync(Sandbox sandbox, CancellationToken ct) => Flavour == SqlFlavour.Sqlite
        ? await sandbox.SqliteAsync(Location, ct)
        : sandbox.Postgres(Location);
}

public enum SqlFlavour
{
    Sqlite,
    Postgres,
}

/// <summary>Which databases a metric may name: those of the server's settings, and on the command line files too.</summary>
/// <param name="named">Section <c>Databases</c> of the settings: <c>sqlite:FILE</c> or <c>postgres://…</c> by name.</param>
/// <param name="allowsFiles">Whoever types the command may read the file anyway; whoever sends a request may not.</param>
/// <param name="own">The product's own database, which no statement may ever see; null when there is none.</param>
public sealed class CodeDatabases(IReadOnlyDictionary<string, string> named, bool allowsFiles, string? own)
{
    /// <exception cref="SandboxException">No such database, or one that must not be used; the message names the remedy.</exception>
    public CodeDatabase Find(string text)
    {
        var name = named.Keys.FirstOrDefault(key => key.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (name is null && !allowsFiles)
            throw new SandboxException(named.Count == 0
                ? "names no configured database, since none is configured: name one in section `Databases` of the server's settings, such "
                + "as {\"Databases\": {\"shop\": \"sqlite:/data/shop.sqlite\"}}."
                : $"is {Quote.Short(text)}, which is no configured database.{NearMiss.Hint(text, named.Keys)} Configured are "
                + $"{NearMiss.List(named.Keys.Order(StringComparer.Ordinal))}.");
        var database = Parse(name is null ? text : named[name]);
        if (own is not null && SameAs(database, Parse(own)))
            throw new SandboxException("is Flywheel's own database, which foreign statements must never see: name another one.");
        return database.Flavour == SqlFlavour.Sqlite && !File.Exists(database.Location)
            ? throw new SandboxException($"cannot be used: there is no file {database.Location}. Check the path.")
            : database;
    }

    static CodeDatabase Parse(string text)
    {
        if (text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase))
            return Uri.TryCreate(text, UriKind.Absolute, out _)
                ? new(SqlFlavour.Postgres, text)
                : throw new SandboxException("is no address that can be read: write postgres://user:password@host:5432/database.");
        var path = text.StartsWith("sqlite:", StringComparison.OrdinalIgnoreCase) ? text["sqlite:".Length..] : text;
        return path.Length > 0 ? new(SqlFlavour.Sqlite, Path.GetFullPath(path)) : throw new SandboxException("is empty: name a database.");
    }

    static bool SameAs(CodeDatabase one, CodeDatabase other)
    {
        if (one.Flavour != other.Flavour)
            return false;
        if (one.Flavour == SqlFlavour.Sqlite)
            return Real(one.Location) == Real(other.Location);
        Uri a = new(one.Location), b = new(other.Location);
        return a.Host.Equals(b.Host, StringComparison.OrdinalIgnoreCase) && Port(a) == Port(b) && a.AbsolutePath == b.AbsolutePath;

        static int Port(Uri uri) => uri.Port > 0 ? uri.Port : 5432;
        static string Real(string path) =>
            (File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? Path.GetFullPath(path);
    }
}
