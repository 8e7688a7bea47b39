using System.Data.Common;

namespace Flywheel.Storage.Tests;

/// <summary>Gives each test a database of its own.</summary>
public interface ITestDatabases
{
    /// <returns>The url of a new, empty database.</returns>
    Task<string> NewAsync();

    /// <summary>A connection as any other tool would open it.</summary>
    DbConnection Connect(string url);
}
