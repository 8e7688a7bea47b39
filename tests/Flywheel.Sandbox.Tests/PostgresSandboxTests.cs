using Flywheel.Core.Metrics;
using Flywheel.Validators.Sandboxing;
using Flywheel.Storage.Tests;
using Npgsql;

namespace Flywheel.SandboxTests;

public sealed class PostgresSandboxTests(PostgresCluster cluster)
{
    private static readonly SemaphoreSlim OneRole = new(1);

    [Fact, Trait("runs", "alone")]
    public async Task A_hundred_and_fifty_attacks_write_nothing_see_nothing_and_end_in_time()
    {
        var (owner, url) = await ShopAsync();
        await using var check = new CodeCheck(new() { ["shop"] = url }, allowsFiles: false);
        var validator = check.Make("code.sql", """{"database": "shop", "timeout_ms": 250}""");
        Assert.Equal(Outcome.Pass, (await CodeCheck.AskAsync(validator, "SELECT total, random() FROM orders")).Outcome);
        var attacks = PostgresAttacks.All.ToArray();
        Assert.True(attacks.Distinct().Count() >= 150, $"{attacks.Distinct().Count()} attacks");
        var before = await StateAsync(owner);

        var answers = await CodeCheck.AskAllAsync(validator, attacks);

        foreach (var (attack, finding, took) in answers)
        {
            Assert.True(finding.Outcome == Outcome.Fail, $"{Head(attack)}: {finding}");
            Assert.True(took < TimeSpan.FromSeconds(2), $"{Head(attack)} took {took}: {finding}");
            Assert.DoesNotContain("canary", finding.Reason, StringComparison.Ordinal);
        }
        Assert.Equal(before, await StateAsync(owner));
        Assert.Equal("0", await ScalarAsync(
            owner, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'flywheel-sandbox' AND state = 'active' AND "
                + "query_start < now() - interval '2 seconds'"));
    }

    [Fact]
    public async Task Without_the_sandbox_the_same_statements_write_and_see()
    {
        int written = 0, seen = 0;
        var (owner, _) = await ShopAsync();
        var before = await StateAsync(owner);
        foreach (var attack in PostgresAttacks.Writes.Where(
            sql => !sql.Contains("pg_terminate", StringComparison.Ordinal) && !sql.Contains("flywheel-attack", StringComparison.Ordinal)
                && !sql.Contains("DROP TABLE", StringComparison.Ordinal)))
        {
            await TryAsync(owner, attack);
            var after = await StateAsync(owner);
            written += after == before ? 0 : 1;
            before = after;
        }
        foreach (var attack in PostgresAttacks.Looks)
            seen += await TryAsync(owner, attack) ? 1 : 0;

        Assert.True(written >= 15, $"only {written} of the statements wrote");
        Assert.True(seen >= 25, $"only {seen} of the statements saw anything");
    }

    [Fact]
    public async Task Without_the_sandbox_an_endless_statement_goes_on()
    {
        var (owner, _) = await ShopAsync();
        await using var connection = (NpgsqlConnection)cluster.Connect(owner);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(PostgresAttacks.Hangs.ElementAt(3), connection) { CommandTimeout = 0 };

        var running = command.ExecuteScalarAsync(CancellationToken.None);
        var first = await Task.WhenAny(running, Task.Delay(2_000, TestContext.Current.CancellationToken));
        command.Cancel();

        Assert.NotSame(running, first);
        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Fact]
    public async Task A_role_that_can_do_more_than_read_is_refused_with_the_remedy()
    {
        var (owner, _) = await ShopAsync();
        await using var check = new CodeCheck(new() { ["shop"] = owner }, allowsFiles: false);

        var refused = Assert.Throws<ValidatorSettingsException>(() => check.Make("code.sql", """{"database": "shop"}"""));

        Assert.Contains("superuser", refused.Message, StringComparison.Ordinal);
        Assert.Contains("flywheel sandbox role", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_are_compared_columns_are_known_and_the_callers_rows_are_told_apart()
    {
        var (_, url) = await ShopAsync();
        await using var check = new CodeCheck(new() { ["shop"] = url }, allowsFiles: false);
        var compare = check.Make("code.sql", """{"database": "shop", "reference": "gold"}""");
        var compile = check.Make("code.sql", """{"database": "shop", "execute": false}""");
        var owned = check.Make("code.sql", """{"database": "shop", "owner_column": "customer_id", "caller": "me"}""");

        async Task<Outcome> Compared(string sql, string gold) =>
            (await CodeCheck.AskAsync(compare, sql, new() { ["gold"] = gold })).Outcome;
        Assert.Equal(Outcome.Pass, await Compared("SELECT sum(total) FROM orders", "SELECT 30.0"));
        Assert.Equal(Outcome.Fail, await Compared("SELECT sum(total) + 1 FROM orders", "SELECT 30"));
        Assert.Equal(Outcome.Fail, await Compared("SELECT id FROM orders ORDER BY id DESC", "SELECT id FROM orders ORDER BY id"));
        Assert.Equal(Outcome.Pass, await Compared("SELECT id FROM orders ORDER BY id DESC", "SELECT id FROM orders"));
        Assert.Contains("totl", (await CodeCheck.AskAsync(compile, "SELECT totl FROM orders")).Reason, StringComparison.Ordinal);
        Assert.Equal(Outcome.Pass, (await CodeCheck.AskAsync(compile, "SELECT total FROM orders WHERE customer_id = 1")).Outcome);
        Assert.Equal(Outcome.Pass,
            (await CodeCheck.AskAsync(owned, "SELECT * FROM orders WHERE customer_id = 1;", new() { ["me"] = 1 })).Outcome);
        Assert.Equal(Outcome.Fail, (await CodeCheck.AskAsync(owned, "SELECT * FROM public.orders", new() { ["me"] = 1 })).Outcome);
        Assert.Equal(Outcome.Skipped, (await CodeCheck.AskAsync(owned, "SELECT * FROM orders", [])).Outcome);
    }

    /// <returns>The superuser's url and the sandbox role's.</returns>
    private async Task<(string Owner, string Sandbox)> ShopAsync()
    {
        var owner = await cluster.NewEmptyAsync();
        var role = $"reader_{Guid.NewGuid():N}"[..20];
        await RunAsync(owner,
            """
            CREATE TABLE orders (id int PRIMARY KEY, customer_id int, total numeric);
            INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20);
            CREATE TABLE vault (word text);
            INSERT INTO vault VALUES ('canary');
            CREATE SEQUENCE numbers;
            CREATE FUNCTION writer() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO vault VALUES (''w'') RETURNING 1';
            CREATE FUNCTION sly_writer() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'UPDATE orders SET total = 5 RETURNING 1';
            CREATE FUNCTION peek() RETURNS text STABLE LANGUAGE sql SECURITY DEFINER AS 'SELECT word FROM vault LIMIT 1';
            """);
        await OneRole.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            await RunAsync(owner, ReadOnlyRole.Sql(role, "public", ["orders"]));
        }
        finally
        {
            OneRole.Release();
        }
        return (owner, new UriBuilder(owner) { UserName = role, Password = "" }.Uri.ToString());
    }

    /// <summary>Everything that the attacks would change, as one text.</summary>
    private Task<string> StateAsync(string url) => ScalarAsync(url,
        """
        SELECT coalesce((SELECT string_agg(o::text, ';' ORDER BY id) FROM orders o), '') || (SELECT count(*) FROM vault) || '|' || (SELECT count(*) FROM pg_class)
            || '|' || (SELECT count(*) FROM pg_proc) || '|' || (SELECT count(*) FROM pg_type) || '|' || (SELECT count(*) FROM pg_namespace) || '|' || (SELECT count(*) FROM pg_largeobject_metadata)
            || '|' || (SELECT count(*) FROM pg_description) || '|' || (SELECT last_value::text || is_called FROM numbers) || '|' || coalesce((SELECT relacl::text FROM pg_class WHERE relname = 'orders'), '')
            || '|' || (SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass)
        """);

    private async Task<string> ScalarAsync(string url, string sql)
    {
        await using var connection = cluster.Connect(url);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!.ToString()!;
    }

    private async Task RunAsync(string url, string sql)
    {
        await using var connection = cluster.Connect(url);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <returns>Whether any row came back.</returns>
    private async Task<bool> TryAsync(string url, string sql)
    {
        try
        {
            await using var connection = cluster.Connect(url);
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText = "SET statement_timeout = '300ms'; " + sql;
            await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            return await reader.ReadAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException or NotSupportedException)
        {
            return false;
        }
    }

    private static string Head(string text) => text.Length < 120 ? text : text[..120];
}
