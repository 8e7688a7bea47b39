using Flywheel.Storage.Tests;

[assembly: AssemblyFixture(typeof(SqliteFiles))]
