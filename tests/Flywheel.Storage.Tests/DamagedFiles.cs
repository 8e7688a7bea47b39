using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Tests;

public sealed class DamagedFiles : IDisposable
{
    readonly string _folder = TestFolder.New("test");

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    string At(string name) => Path.Combine(_folder, name);

    [Fact]
    public async Task A_file_that_is_no_database_is_named_and_left_alone()
    {
        await File.WriteAllTextAsync(At("notes.txt"), new string('x', 10_000), Ct);

        var refused = await Assert.ThrowsAsync<StoreException>(() => FlywheelStore.OpenAsync($"sqlite:{At("notes.txt")}", null, Ct));

        Assert.Contains("notes.txt is no SQLite database", refused.Message);
        Assert.Equal(new string('x', 10_000), await File.ReadAllTextAsync(At("notes.txt"), Ct));
    }

    [Fact]
    public async Task Another_programs_database_is_refused()
    {
        await using (var connection = new SqliteConnection($"Data Source={At("theirs.db")};Pooling=false"))
        {
            await connection.OpenAsync(Ct);
            await using var command = connection.CreateCommand();
            command.CommandText = "CREATE TABLE theirs (x)";
            await command.ExecuteNonQueryAsync(Ct);
        }

        var refused = await Assert.ThrowsAsync<StoreException>(() => FlywheelStore.OpenAsync($"sqlite:{At("theirs.db")}", null, Ct));

        Assert.Contains("another program", refused.Message);
    }

    [Fact]
    public async Task A_whole_file_has_no_damage_and_a_page_overwritten_in_its_middle_is_found()
    {
        await using (var store = await FlywheelStore.OpenAsync($"sqlite:{At("good.db")}", null, Ct))
        {
            await store.MigrateAsync(Ct);
            for (var i = 0; i < 200; i++)
                await store.Projects.EnsureAsync($"{i} {new string('x', 150)}", DateTimeOffset.UnixEpoch, Ct);
            Assert.Null(await store.FindDamageAsync(Ct));
        }
        var bytes = await File.ReadAllBytesAsync(At("good.db"), Ct);
        // The last page is one of projects or of their names: zeros make it neither.
        bytes.AsSpan(bytes.Length - 4096).Clear();
        await File.WriteAllBytesAsync(At("holed.db"), bytes, Ct);

        await using var holed = await FlywheelStore.OpenAsync($"sqlite:{At("holed.db")}", null, Ct);

        Assert.NotNull(await holed.FindDamageAsync(Ct));
    }

    [Fact]
    public async Task A_damaged_file_is_a_clear_error_not_a_crash()
    {
        await using (var store = await FlywheelStore.OpenAsync($"sqlite:{At("good.db")}", null, Ct))
            await store.MigrateAsync(Ct);
        var whole = await File.ReadAllBytesAsync(At("good.db"), Ct);
        var random = new Random(7);
        var refusals = 0;
        for (var i = 0; i < 20; i++)
        {
            // The header or the first page of the schema overwritten, or the file cut off.
            var damaged = (byte[])whole.Clone();
            random.NextBytes(damaged.AsSpan(i % 2 == 0 ? 0 : 100, 100 + 40 * i));
            await File.WriteAllBytesAsync(At($"{i}.db"), i % 5 == 4 ? whole[..(whole.Length / (i + 2))] : damaged, Ct);
            try
            {
                await using var store = await FlywheelStore.OpenAsync($"sqlite:{At($"{i}.db")}", null, Ct);
                await store.PingAsync(Ct);
            }
            catch (StoreException refused)
            {
                Assert.Contains($"{i}.db", refused.Message);
                refusals++;
            }
            catch (SqliteException)
            {
                // Damage that shows only when the page is read.
            }
        }
        Assert.True(refusals >= 10, $"only {refusals} of 20 damaged files were refused at once");
    }

    [Theory]
    [InlineData("mysql://root:secret@host/db")]
    [InlineData("flywheel.db")]
    [InlineData("sqlite:")]
    [InlineData("")]
    public async Task A_bad_url_says_which_forms_are_good(string url)
    {
        var refused = await Assert.ThrowsAsync<StoreException>(() => FlywheelStore.OpenAsync(url, null, Ct));

        Assert.Contains("sqlite:PATH", refused.Message);
        Assert.Contains("postgres://", refused.Message);
        Assert.DoesNotContain("secret", refused.Message);
    }

    [Fact]
    public async Task A_missing_folder_is_named()
    {
        var refused = await Assert.ThrowsAsync<StoreException>(() => FlywheelStore.OpenAsync($"sqlite:{At("no/such.db")}", null, Ct));

        Assert.Contains(At("no"), refused.Message);
    }

    [Fact]
    public async Task A_store_in_memory_lives_as_long_as_it_is_open()
    {
        var store = await FlywheelStore.OpenAsync("sqlite::memory:", null, Ct);
        await store.MigrateAsync(Ct);
        await store.Projects.EnsureAsync("p", DateTimeOffset.UnixEpoch, Ct);
        Assert.Equal(2, (await store.Projects.ListAsync(Ct)).Count);
        var folder = Path.GetDirectoryName(store.Description.Split(" at ")[1])!;

        await store.DisposeAsync();

        Assert.False(Directory.Exists(folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
