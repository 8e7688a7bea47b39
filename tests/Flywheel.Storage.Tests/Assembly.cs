using Flywheel.Storage.Tests;

[assembly: AssemblyFixture(typeof(SqliteFiles))]
[assembly: AssemblyFixture(typeof(PostgresCluster))]
