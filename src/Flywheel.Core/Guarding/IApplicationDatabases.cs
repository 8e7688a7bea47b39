namespace Flywheel.Core.Guarding;

/// <summary>The application's own databases, by the names that the server's settings give them; read only.</summary>
public interface IApplicationDatabases
{
    IReadOnlyCollection<string> Names { get; }

    /// <summary>Whether a query has a row whose first column is neither null, false nor 0.</summary>
    /// <param name="query">One SELECT with parameters such as <c>@entity</c>; those that it does not name are not given to it.</param>
    /// <exception cref="TimeoutException">It ran too long.</exception>
    /// <exception cref="InvalidOperationException">The database refuses it.</exception>
    Task<bool> AnyAsync(string database, string query, IReadOnlyDictionary<string, string> parameters, CancellationToken ct);
}
