using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage;
using Flywheel.Validators;
using Microsoft.Data.Sqlite;

namespace Flywheel.Server.Tests.Guarding;

public sealed class OwnerTests : IAsyncLifetime
{
    readonly string _folder = Directory.CreateTempSubdirectory("flywheel-owner-").FullName;
    ApplicationDatabases _databases = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;
    string File => Path.Combine(_folder, "shop.db");

    public async ValueTask InitializeAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={File}");
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
        command.CommandText =
            "CREATE TABLE orders (number TEXT, customer TEXT); INSERT INTO orders VALUES ('ORD-1001', 'ann'), ('ORD-2002', 'bob')";
        await command.ExecuteNonQueryAsync(Ct);
        _databases = new([new("shop", "sqlite:" + File)]);
    }

    public async ValueTask DisposeAsync()
    {
        await _databases.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    const string ByQuery = """
        {"patterns":{"order":"ORD-[^ ]+"},"database":"shop","query":"SELECT 1 FROM orders WHERE upper(number) = upper(@entity) AND customer = @user"}
        """;

    const string ByAttribute = """{"patterns":{"order":"ORD-[0-9]+"},"attribute":"caller.orders"}""";

    IValidator Make(string settings) => new ValidatorRegistry(LeafValidators.All(new() { Databases = _databases }))
        .Create(new("input.owner", JsonElement.Parse(settings)), new("owner", "Is it theirs?", MetricSubject.Input));

    async Task<Finding> CheckAsync(string settings, string text, string? user, string? attributes = null)
    {
        var span = new NewSpan { Key = new("t", "s"), Node = "n", StartedAt = DateTimeOffset.UnixEpoch, Input = text, EndUser = user,
            Attributes = attributes };
        return await Make(settings).CheckAsync(new(text, new(default, ProjectId.Default, span, default)), Ct);
    }

    [Theory]
    [InlineData("where is ord-1001 now", "ann", Outcome.Pass)]
    [InlineData("where is ORD-2002 now", "ann", Outcome.Fail)]
    [InlineData("ORD-1001 and ORD-2002", "ann", Outcome.Fail)]
    [InlineData("where is my order", "ann", Outcome.Pass)]
    [InlineData("where is ORD-1001 now", null, Outcome.Unsure)]
    [InlineData("where is my order", null, Outcome.Pass)]
    [InlineData("ORD-9999'OR'1'='1", "ann", Outcome.Fail)]
    [InlineData("ORD-9999';DROP/**/TABLE/**/orders;--", "ann", Outcome.Fail)]
    [InlineData("ORD-2002'/**/UNION/**/SELECT/**/1--", "ann", Outcome.Fail)]
    [InlineData("ORD-2002", "bob'--", Outcome.Fail)]
    [InlineData("ORD-2002", "' OR 1=1 --", Outcome.Fail)]
    public async Task The_applications_database_tells_whose_an_order_is(string text, string? user, Outcome expected)
    {
        Assert.Equal(expected, (await CheckAsync(ByQuery, text, user)).Outcome);

        Assert.Equal(Outcome.Pass, (await CheckAsync(ByQuery, "ORD-1001", "ann")).Outcome);
    }

    [Theory]
    [InlineData("""{"caller":{"orders":["ORD-1","ORD-2"]}}""", Outcome.Pass)]
    [InlineData("""{"caller":{"orders":["ORD-2"]}}""", Outcome.Fail)]
    [InlineData("""{"caller":{"orders":"ord-1"}}""", Outcome.Pass)]
    [InlineData("""{"caller":{"orders":[]}}""", Outcome.Fail)]
    [InlineData("""{"caller":{}}""", Outcome.Unsure)]
    [InlineData(null, Outcome.Unsure)]
    public async Task What_is_the_callers_may_come_with_the_span(string? attributes, Outcome expected) =>
        Assert.Equal(expected, (await CheckAsync(ByAttribute, "cancel ORD-1", null, attributes)).Outcome);

    [Fact]
    public async Task A_finding_says_where_and_not_what()
    {
        var finding = await CheckAsync(ByQuery, "ORD-1001 or ORD-2002", "ann");

        Assert.Equal("not the caller's: 1 order", finding.Reason);
        Assert.Equal(new FoundSpan(12, 8, "order"), Assert.Single(finding.Spans!));
    }

    [Fact]
    public async Task A_query_that_would_write_or_never_ends_is_stopped()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            _databases.AnyAsync("shop", "DELETE FROM orders RETURNING 1", new Dictionary<string, string>(), Ct));
        await Assert.ThrowsAsync<TimeoutException>(() => _databases.AnyAsync(
            "shop", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
            new Dictionary<string, string>(), Ct));

        Assert.True(await _databases.AnyAsync("shop", "SELECT count(*) = 2 FROM orders", new Dictionary<string, string>(), Ct));
    }

    [Theory]
    [InlineData("""{"attribute":"a"}""", "patterns")]
    [InlineData("""{"patterns":{"o":"x"}}""", "attribute")]
    [InlineData("""{"patterns":{"o":"x"},"attribute":"a","database":"shop"}""", "attribute")]
    [InlineData("""{"patterns":{"o":"x"},"database":"other","query":"SELECT @entity, @user"}""", "database")]
    [InlineData("""{"patterns":{"o":"x"},"database":"shop"}""", "query")]
    [InlineData("""{"patterns":{"o":"x"},"database":"shop","query":"DELETE FROM orders WHERE @entity = @user"}""", "query")]
    [InlineData("""{"patterns":{"o":"x"},"database":"shop","query":"SELECT 1; DELETE FROM orders WHERE @entity = @user"}""", "query")]
    [InlineData("""{"patterns":{"o":"x"},"database":"shop","query":"SELECT 1 WHERE @entity = 1"}""", "query")]
    public void Settings_that_cannot_work_are_refused(string settings, string setting) =>
        Assert.Equal(setting, Assert.Throws<ValidatorSettingsException>(() => Make(settings)).Setting);
}
