using System.Data.Common;

namespace Flywheel.Storage.Tests;

/// <summary>Gives each test a database of its own.</summary>
public interface ITestDatabases
{
    /// <returns>The URL of a new database that has the current schema and no rows of its own.</returns>
    Task<string> NewAsync();

    /// <returns>The URL of a new database without a schema.</returns>
    Task<string> NewEmptyAsync();

    /// <summary>A connection as any other tool would open it.</summary>
    DbConnection Connect(string url);
}
