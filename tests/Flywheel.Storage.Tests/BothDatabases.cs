namespace Flywheel.Storage.Tests;

public sealed class BothDatabases
{
    [Fact]
    public void Each_suite_runs_on_both()
    {
        var types = typeof(StoreConformance).Assembly.GetTypes();
        var suites = types.Where(type => type.IsAbstract && type.IsSubclassOf(typeof(StoreConformance))).ToArray();

        Assert.NotEmpty(suites);
        foreach (var suite in suites)
            Assert.Equal(
                [typeof(PostgresCluster), typeof(SqliteFiles)],
                types
                    .Where(type => !type.IsAbstract && type.IsSubclassOf(suite))
                    .Select(type => type.GetConstructors().Single().GetParameters().Single().ParameterType)
                    .OrderBy(type => type.Name));
    }
}
