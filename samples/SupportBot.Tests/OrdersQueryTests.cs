using System.Diagnostics;
using Flywheel.Demo.Orders;

namespace SupportBot.Tests;

public sealed class OrdersQueryTests : IDisposable
{
    const int Customer = 7;

    readonly OrdersDatabase orders = OrdersDatabase.Create();
    readonly OrdersQuery query;

    public OrdersQueryTests() => query = new(orders, TimeSpan.FromSeconds(10), maxRows: 5);

    public void Dispose() => orders.Dispose();

    [Theory]
    [InlineData("SELECT customer_id FROM customers")]
    [InlineData("SELECT customer_id FROM main.customers WHERE customer_id <> @customer_id OR 1 = 1")]
    [InlineData("WITH orders AS (SELECT * FROM main.orders) SELECT DISTINCT customer_id FROM orders")]
    [InlineData("SELECT customer_id FROM invoices UNION SELECT customer_id FROM refunds UNION SELECT customer_id FROM subscriptions UNION SELECT 7")]
    public void A_statement_without_restriction_sees_one_customer_only(string sql)
    {
        var answer = query.Run(sql, Customer, null, Ct);

        Assert.Null(answer.Error);
        Assert.Equal(Customer, (long)Assert.Single(answer.Rows)["customer_id"]!);
    }

    [Fact]
    public void Items_and_shipments_are_those_of_the_customers_orders()
    {
        var others = query.Run(
            """
            SELECT order_id FROM order_items WHERE order_id NOT IN (SELECT order_id FROM orders)
            UNION ALL
            SELECT order_id FROM shipments WHERE order_id NOT IN (SELECT order_id FROM orders)
            """, Customer, null, Ct);
        var own = query.Run("SELECT (SELECT count(*) FROM order_items) AS items, (SELECT count(*) FROM shipments) AS parcels", Customer, null, Ct);

        Assert.Empty(others.Rows);
        Assert.True((long)own.Rows[0]["items"]! > 0 && (long)own.Rows[0]["parcels"]! > 0);
    }

    [Theory]
    [InlineData("DELETE FROM orders")]
    [InlineData("UPDATE refunds SET state = 'paid'")]
    [InlineData("INSERT INTO products SELECT * FROM products")]
    [InlineData("DROP TABLE orders")]
    [InlineData("CREATE TEMP TABLE copy AS SELECT 1")]
    [InlineData("ATTACH 'other.db' AS other")]
    [InlineData("PRAGMA table_info(orders)")]
    [InlineData("VACUUM INTO 'copy.db'")]
    [InlineData("EXPLAIN SELECT 1")]
    [InlineData("SELECT load_extension('x')")]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("SELECT 1; DROP TABLE orders")]
    [InlineData("SELECT * FROM shop.customers")]
    [InlineData("SELECT zeroblob(900000000)")]
    [InlineData("SELECT @somebody_else")]
    [InlineData("I cannot help with that.")]
    [InlineData("-- nothing")]
    [InlineData("")]
    public void Anything_but_one_select_is_an_answer_with_its_error(string sql)
    {
        var answer = query.Run(sql, Customer, null, Ct);

        Assert.False(string.IsNullOrWhiteSpace(answer.Error));
        Assert.Empty(answer.Rows);
    }

    [Fact]
    public void A_statement_that_never_ends_is_interrupted()
    {
        var hasty = new OrdersQuery(orders, TimeSpan.FromMilliseconds(100), maxRows: 5);
        var clock = Stopwatch.StartNew();

        var answer = hasty.Run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", Customer, null, Ct);

        Assert.Contains("longer than 0.1 s", answer.Error, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.05), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_caller_who_gives_up_gets_an_exception()
    {
        using var gone = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        Assert.ThrowsAny<OperationCanceledException>(() => query.Run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", Customer, null, gone.Token));
    }

    [Fact]
    public void Rows_above_the_cap_are_cut_and_it_says_so()
    {
        var all = query.Run("SELECT product_id FROM products ORDER BY product_id", Customer, null, Ct);
        var five = query.Run("SELECT product_id FROM products ORDER BY product_id LIMIT 5", Customer, null, Ct);

        Assert.Equal([1L, 2, 3, 4, 5], all.Rows.Select(row => (long)row["product_id"]!));
        Assert.True(all.IsCapped);
        Assert.False(five.IsCapped);
    }

    [Fact]
    public void The_order_number_is_bound_when_the_message_names_one()
    {
        const string Sql = "SELECT order_number FROM orders WHERE @order_number IS NULL OR order_number = @order_number ORDER BY ordered_on";
        var all = query.Run(Sql, Customer, null, Ct);
        var number = (int)(long)all.Rows[0]["order_number"]!;

        var one = query.Run(Sql, Customer, number, Ct);

        Assert.True(all.Rows.Count > 1);
        Assert.Equal(number, (long)Assert.Single(one.Rows)["order_number"]!);
    }

    [Fact]
    public void Every_new_database_holds_the_same_sixty_customers()
    {
        using var twin = OrdersDatabase.Create();
        var other = new OrdersQuery(twin, TimeSpan.FromSeconds(10), maxRows: 1000);
        var same = new OrdersQuery(orders, TimeSpan.FromSeconds(10), maxRows: 1000);
        string[] tables = ["customers", "products", "orders", "order_items", "subscriptions", "invoices", "refunds", "shipments"];

        for (var customer = 1; customer <= 60; customer++)
            foreach (var table in tables)
                Assert.Equal(
                    same.Run($"SELECT * FROM {table}", customer, null, Ct).ToJson(),
                    other.Run($"SELECT * FROM {table}", customer, null, Ct).ToJson());
        Assert.NotEmpty(same.Run("SELECT 1 FROM customers", 60, null, Ct).Rows);
        Assert.Empty(same.Run("SELECT 1 FROM customers", 61, null, Ct).Rows);
    }

    [Fact]
    public void An_existing_file_is_not_overwritten_and_a_temporary_one_is_removed()
    {
        var path = Path.Combine(Path.GetTempPath(), $"orders-{Guid.NewGuid():N}.db");
        File.WriteAllText(path, "mine");

        Assert.Throws<ArgumentException>(() => OrdersDatabase.Create(path));
        Assert.Equal("mine", File.ReadAllText(path));

        File.Delete(path);
        OrdersDatabase.Create(path).Dispose();
        Assert.True(File.Exists(path));
        File.Delete(path);
    }

    [Theory]
    [InlineData("Where is OS-20417?", 20417)]
    [InlineData("os 20417 please", 20417)]
    [InlineData("about order 20417", 20417)]
    [InlineData("Order no. 20417", 20417)]
    [InlineData("my oder 20417!!", 20417)]
    [InlineData("#20417", 20417)]
    [InlineData("Bestellung Nr. 20417", 20417)]
    [InlineData("OS-20417 and OS-20424", 20417)]
    [InlineData("I live in 20417 Hamburg", null)]
    [InlineData("OS-204171", null)]
    [InlineData("chaos 20417", null)]
    [InlineData("", null)]
    public void The_order_number_is_found_in_the_ways_customers_write_it(string text, int? number) =>
        Assert.Equal(number, OrderNumber.In(text));

    static CancellationToken Ct => TestContext.Current.CancellationToken;
}
