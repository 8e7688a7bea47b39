namespace Flywheel.Storage.Tests;

public abstract class MigrationConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task Several_processes_may_start_at_once()
    {
        var url = await Databases.NewEmptyAsync();

        var applied = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            await using var store = await FlywheelStore.OpenAsync(url, null, Ct);
            return await store.MigrateAsync(Ct);
        })));

        var all = applied.SelectMany(names => names).ToArray();
        Assert.Equal("0001_foundation", all[0]);
        Assert.Equal(all.Distinct().Order(StringComparer.Ordinal), all);
        await using var store = await FlywheelStore.OpenAsync(url, null, Ct);
        Assert.Empty(await store.MigrateAsync(Ct));
        await store.PingAsync(Ct);
        Assert.Equal("default", Assert.Single(await store.Projects.ListAsync(Ct)).Name);
    }

    [Fact]
    public async Task A_newer_database_is_refused_with_the_reason()
    {
        await SqlAsync("INSERT INTO schema_migration (number, name, applied_at) VALUES (9999, '9999_future', 0)");

        var refused = await Assert.ThrowsAsync<StoreException>(() => OpenAsync());
        Assert.Contains("9999_future", refused.Message);
        Assert.Contains("newer", refused.Message);
        await Assert.ThrowsAsync<StoreException>(() => Store.MigrateAsync(Ct));
    }

    [Fact]
    public async Task The_description_names_the_database_and_no_secret()
    {
        Assert.StartsWith(Url.StartsWith("sqlite:", StringComparison.Ordinal) ? "SQLite 3" : "PostgreSQL ", Store.Description);
        Assert.DoesNotContain("secret", (await OpenAsync()).Description, StringComparison.OrdinalIgnoreCase);
    }
}
