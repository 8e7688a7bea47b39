using System.Security.Cryptography;
using Flywheel.Core.Metrics;
using Microsoft.Data.Sqlite;

namespace Flywheel.SandboxTests;

public sealed class SqliteSandboxTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flywheel-attacks-").FullName;

    public SqliteSandboxTests() => Fill(_folder);

    private string Shop => Path.Combine(_folder, "shop.sqlite");

    [Fact, Trait("runs", "alone")]
    public async Task A_hundred_and_fifty_attacks_write_nothing_see_nothing_and_end_in_time()
    {
        await using var check = new CodeCheck();
        var validator = check.Make("code.sql", $$"""{"database": "{{Shop}}", "timeout_ms": 250}""");
        Assert.Equal(Outcome.Pass, (await CodeCheck.AskAsync(validator, "SELECT total FROM orders")).Outcome);
        var attacks = SqliteAttacks.All(_folder).ToArray();
        Assert.True(attacks.Distinct().Count() >= 150, $"{attacks.Distinct().Count()} attacks");
        var before = Files(_folder);

        var answers = await CodeCheck.AskAllAsync(validator, attacks);

        Assert.Equal(before, Files(_folder));
        foreach (var (attack, finding, took) in answers)
        {
            Assert.True(finding.Outcome == Outcome.Fail, $"{Head(attack)}: {finding}");
            Assert.True(took < TimeSpan.FromSeconds(2), $"{Head(attack)} took {took}");
            Assert.DoesNotContain("canary", finding.Reason, StringComparison.Ordinal);
        }
        Assert.Equal(Outcome.Pass, (await CodeCheck.AskAsync(validator, "SELECT total FROM orders")).Outcome);
    }

    [Fact]
    public async Task Without_the_sandbox_the_same_statements_write_and_see()
    {
        int written = 0, seen = 0;
        foreach (var attack in SqliteAttacks.Writes.Concat(SqliteAttacks.Looks))
        {
            var folder = Directory.CreateTempSubdirectory("flywheel-control-").FullName;
            Fill(folder);
            var before = Files(folder);
            using (var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "shop.sqlite")};Pooling=False"))
            {
                connection.Open();
                seen += Run(connection, attack.Replace("{dir}", folder, StringComparison.Ordinal)) ? 1 : 0;
            }
            written += before == Files(folder) ? 0 : 1;
            Directory.Delete(folder, recursive: true);
        }
        Assert.True(written >= 25, $"only {written} of the statements wrote");
        Assert.True(seen >= 25, $"only {seen} of the statements saw anything");

        using var hanging = new SqliteConnection($"Data Source={Shop};Pooling=False");
        hanging.Open();
        var running = Task.Run(() => Run(hanging, SqliteAttacks.Hangs.First()), TestContext.Current.CancellationToken);
        var isOver = await Task.WhenAny(running, Task.Delay(2_000, TestContext.Current.CancellationToken)) == running;
        SQLitePCL.raw.sqlite3_interrupt(hanging.Handle!);
        await running;
        Assert.False(isOver, "the endless statement ended by itself");
    }

    [Fact]
    public async Task A_write_ahead_log_beside_the_file_is_seen_and_left_as_it_is()
    {
        using var writer = new SqliteConnection($"Data Source={Shop};Pooling=False");
        writer.Open();
        Execute(writer, "PRAGMA journal_mode = WAL; INSERT INTO orders VALUES (77, 1, 5)");
        var before = Files(_folder);
        await using var check = new CodeCheck();
        var validator = check.Make("code.sql", $$"""{"database": "{{Shop}}", "non_empty": true}""");

        var finding = await CodeCheck.AskAsync(validator, "SELECT * FROM orders WHERE id = 77");

        Assert.Equal(Outcome.Pass, finding.Outcome);
        Assert.Equal(before, Files(_folder));
        Execute(writer, "INSERT INTO orders VALUES (78, 1, 5)");
        Assert.Equal(Outcome.Pass, (await CodeCheck.AskAsync(validator, "SELECT * FROM orders WHERE id = 78")).Outcome);
    }

    [Fact]
    public async Task A_child_that_is_killed_takes_nobody_with_it()
    {
        await using var check = new CodeCheck();
        var validator = check.Make("code.sql", $$"""{"database": "{{Shop}}", "timeout_ms": 300}""");
        var good = Enumerable.Repeat("SELECT count(*) FROM orders", 200);

        var answers = await CodeCheck.AskAllAsync(
            validator, good.Prepend("SELECT max(instr(hex(zeroblob(1900000)), hex(zeroblob(900000)) || '1')) FROM big"));

        Assert.Equal(200, answers.Count(answer => answer.Finding.Outcome == Outcome.Pass));
        Assert.Contains("took longer", Assert.Single(answers, answer => answer.Finding.Outcome == Outcome.Fail).Finding.Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_walls_of_the_system_hold_on_linux()
    {
        await using var check = new CodeCheck();

        var ready = await check.Sandbox.ReadyAsync(
            await check.Sandbox.SqliteAsync(Shop, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);

        if (OperatingSystem.IsLinux()
            && System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64)
            Assert.Equal(["no file opened (seccomp)", "no process started (seccomp)", "no socket made (seccomp)"],
                ready.Layers.Where(layer => layer.Contains("seccomp", StringComparison.Ordinal)).Order());
        Assert.Contains("allow-list of actions and functions (authorizer)", ready.Layers);
    }

    internal static string Files(string folder) => string.Join('\n', Directory.GetFiles(folder).Order(StringComparer.Ordinal)
        .Select(file =>
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return Path.GetFileName(file) + " " + Convert.ToHexString(SHA256.HashData(stream));
        }));

    private static string Head(string text) => text.Length < 120 ? text : text[..120];

    private static void Fill(string folder)
    {
        using (var shop = new SqliteConnection($"Data Source={Path.Combine(folder, "shop.sqlite")};Pooling=False"))
        {
            shop.Open();
            Execute(shop,
                """
                PRAGMA synchronous = OFF; 
                CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, total REAL);
                CREATE INDEX orders_of ON orders (customer_id);
                CREATE VIEW totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
                CREATE TABLE big (n INTEGER);
                INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20);
                WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a LIMIT 1000) INSERT INTO big SELECT n FROM a;
                """);
        }
        using var secret = new SqliteConnection($"Data Source={Path.Combine(folder, "secret.sqlite")};Pooling=False");
        secret.Open();
        Execute(secret, "PRAGMA synchronous = OFF; CREATE TABLE vault (word TEXT); INSERT INTO vault VALUES ('canary')");
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <returns>Whether any row came back.</returns>
    private static bool Run(SqliteConnection connection, string sql)
    {
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            using var reader = command.ExecuteReader();
            var any = false;
            do
                while (reader.Read())
                    any = true;
            while (reader.NextResult());
            return any;
        }
        catch (Exception e) when (e is SqliteException or InvalidOperationException)
        {
            return false;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
