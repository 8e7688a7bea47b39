using Flywheel.Core.Metrics;

namespace Flywheel.SandboxTests;

public sealed class CodeSettingsTests(ShopFile shop) : IClassFixture<ShopFile>
{
    private string Shop => shop.Path;

    [Theory]
    [InlineData("code.sql", """{}""", "database", "name a database")]
    [InlineData("code.sql", """{"database": "shopp"}""", "database", "Did you mean `shop`?")]
    [InlineData("code.sql", """{"database": "/etc/passwd"}""", "database", "no configured database")]
    [InlineData("code.sql", """{"database": "gone"}""", "database", "there is no file")]
    [InlineData("code.sql", """{"database": "own"}""", "database", "Flywheel's own database")]
    [InlineData("code.sql", """{"database": "shop", "columns": ["totl"]}""", "columns", "Did you mean `total`?")]
    [InlineData("code.sql", """{"database": "shop", "tables": ["order"]}""", "tables", "Did you mean `orders`?")]
    [InlineData("code.sql", """{"database": "shop", "owner_column": "customer", "caller": "me"}""", "owner_column", "which no table has")]
    [InlineData("code.sql", """{"database": "shop", "owner_column": "customer_id"}""", "caller", "go together")]
    [InlineData("code.sql", """{"database": "shop", "execute": false, "reference": "gold"}""", "reference", "needs the statement to run")]
    [InlineData("code.sql", """{"database": "shop", "timeout_ms": 60000}""", "timeout_ms", "from 10 to 5000")]
    [InlineData("code.sql", """{"database": "shop", "max_rows": 0, "non_empty": true}""", "max_rows", "no result can pass")]
    [InlineData("code.javascript", """{"module": true, "tests": "1"}""", "module", "not run")]
    [InlineData("code.csharp", """{"ignore": "all"}""", "ignore", "no diagnostic's id")]
    public void Settings_that_cannot_work_are_refused_with_the_remedy(string kind, string settings, string field, string remedy)
    {
        var refused = Assert.Throws<ValidatorSettingsException>(() => shop.Named.Make(kind, settings));

        Assert.Equal(field, refused.Setting);
        Assert.Contains(remedy, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SELECT * FROM orders WHERE customer_id = 1", Outcome.Pass)]
    [InlineData("SELECT * FROM orders", Outcome.Fail)]
    [InlineData("SELECT count(*) FROM main.orders", Outcome.Fail)]
    [InlineData("SELECT item FROM lines JOIN orders ON order_id = id WHERE customer_id = 1", Outcome.Pass)]
    [InlineData("SELECT item FROM lines", Outcome.Fail)]
    [InlineData("WITH mine AS (SELECT id FROM orders WHERE customer_id = 1) SELECT item FROM lines WHERE order_id IN (SELECT id FROM "
        + "mine) -- mine", Outcome.Pass)]
    [InlineData("SELECT * FROM orders WHERE customer_id = 2", Outcome.Fail)]
    [InlineData("SELECT * FROM totals", Outcome.Unsure)]
    [InlineData("SELECT 1", Outcome.Pass)]
    public async Task Only_the_callers_rows_may_be_touched(string sql, Outcome outcome)
    {
        var validator = shop.Check.Make("code.sql", $$"""{"database": "{{Shop}}", "owner_column": "customer_id", "caller": "user.id"}""");

        var finding = await CodeCheck.AskAsync(validator, sql, new() { ["user"] = new System.Text.Json.Nodes.JsonObject { ["id"] = 1 } });

        Assert.True(outcome == finding.Outcome, finding.ToString());
    }

    [Theory]
    [InlineData("""{"columns": ["id", "AS t"]}""", "SELECT id, total AS t FROM orders", Outcome.Pass)]
    [InlineData("""{"columns": ["id"]}""", "SELECT customer_id FROM orders", Outcome.Fail)]
    [InlineData("""{"tables": ["lines"]}""", "SELECT item FROM lines", Outcome.Pass)]
    [InlineData("""{"tables": ["lines"]}""", "SELECT item, (SELECT count(*) FROM orders) FROM lines", Outcome.Fail)]
    [InlineData("""{"non_empty": true}""", "SELECT * FROM orders WHERE id = 5", Outcome.Fail)]
    [InlineData("""{"max_rows": 1}""", "SELECT * FROM orders", Outcome.Fail)]
    [InlineData("""{"reference": "rows"}""", "SELECT id, total FROM orders ORDER BY id DESC", Outcome.Pass)]
    [InlineData("""{"reference": "rows", "order": "always"}""", "SELECT id, total FROM orders ORDER BY id DESC", Outcome.Fail)]
    [InlineData("""{"reference": "rows", "tolerance": 0}""", "SELECT id, total + 0.0000000001 FROM orders", Outcome.Fail)]
    [InlineData("""{"reference": "rows"}""", "SELECT id, total + 0.0000000001 FROM orders", Outcome.Pass)]
    [InlineData("""{"parameters": "values", "non_empty": true}""", "SELECT * FROM orders WHERE id = @id", Outcome.Pass)]
    [InlineData("""{"allow_fence": true}""", "```sql\nSELECT 1\n```", Outcome.Pass)]
    [InlineData("""{}""", "```sql\nSELECT 1\n```", Outcome.Fail)]
    public async Task Expectations_decide(string settings, string sql, Outcome outcome)
    {
        var validator = shop.Check.Make("code.sql", settings.Insert(1, $"\"database\": \"{Shop}\"" + (settings == "{}" ? "" : ", ")));
        var attributes = System.Text.Json.Nodes.JsonNode.Parse("""{"rows": [[1, 10], [2, 20.0]], "values": {"id": 2}}""")!.AsObject();

        var finding = await CodeCheck.AskAsync(validator, sql, attributes);

        Assert.True(outcome == finding.Outcome, finding.ToString());
    }
}
