using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Flywheel.Demo.Orders;

/// <summary>Fills an empty orders database with the same 60 customers every time.</summary>
/// <remarks>
/// The generator is our own, because the rows that <c>messages.jsonl</c> expects depend on its sequence.
/// After a change here, run the sample with <c>--write-expected</c>.
/// </remarks>
sealed class OrdersSeed(SqliteConnection connection, SqliteTransaction transaction)
{
    public const int Customers = 60;

    /// <summary>The day on which the shop's data ends; expected dates up to two weeks later exist.</summary>
    static readonly DateOnly Today = new(2026, 5, 20);

    static readonly string[] FirstNames =
    [
        "Anna", "Björn", "Chloe", "Dario", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Liam", "Mira", "Noah", "Olga",
        "Paul", "Rosa", "Sven", "Tara", "Yusuf",
    ];

    static readonly string[] LastNames =
    [
        "Abel", "Brandt", "Castell", "Dorn", "Eklund", "Fischer", "Grau", "Holt", "Ivers", "Jansen", "Keller", "Lorenz", "Marsh",
        "Nowak", "Oster", "Petersen", "Quast",
    ];

    static readonly (string Postcode, string City)[] Towns =
    [
        ("20095", "Hamburg"), ("50667", "Köln"), ("04109", "Leipzig"), ("28195", "Bremen"), ("80331", "München"), ("1010", "Wien"),
        ("10115", "Berlin"), ("70173", "Stuttgart"),
    ];

    static readonly string[] Streets = ["Amselweg", "Birkenallee", "Canal Street", "Deichstraße", "Elm Road", "Feldgasse", "Gartenstraße"];
    static readonly string[] Carriers = ["Parcelo", "Nordpost", "Kurier24"];
    static readonly string[] Methods = ["credit card", "direct debit", "paypal", "bank transfer"];

    readonly IReadOnlyList<Product> products = Catalogue.Products;
    uint state = 20260520;
    int orders;
    int invoices;
    int shipments;
    int refunds;
    int subscriptions;

    public void Fill()
    {
        foreach (var product in products)
            Insert("products", product.Id, product.Name, product.Category, product.ModelNumber, product.Firmware, product.PriceEur,
                product.WarrantyYears);
        for (var customer = 1; customer <= Customers; customer++)
            AddCustomer(customer);
    }

    void AddCustomer(int customer)
    {
        var first = FirstNames[customer % FirstNames.Length];
        var last = LastNames[customer % LastNames.Length];
        var (postcode, city) = Pick(Towns);
        var method = Pick(Methods);
        Insert("customers", customer, $"{first} {last}", $"{first}.{last}{customer}@example.org".ToLowerInvariant(),
            $"{Pick(Streets)} {Next(1, 120)}", postcode, city, method, Detail(method));

        var day = Today.AddDays(-Next(500, 700));
        var count = Next(2, 6);
        for (var nth = 0; nth < count; nth++)
        {
            var rest = count - nth;
            day = rest == 1 ? Today.AddDays(-Next(0, 12)) : day.AddDays(Next(20, 480 / count));
            AddOrder(customer, method, day, isLast: rest == 1, isSecondToLast: rest == 2);
        }
        if (customer % 5 != 0)
            AddSubscription(customer, method);
    }

    string? Detail(string method) => method switch
    {
        "credit card" => $"ending in {Next(1000, 9999)}",
        "direct debit" => $"IBAN ending in {Next(1000, 9999)}",
        "paypal" => "linked account",
        _ => null,
    };

    void AddOrder(int customer, string method, DateOnly day, bool isLast, bool isSecondToLast)
    {
        var order = ++orders;
        var age = Today.DayNumber - day.DayNumber;
        var isReturned = isSecondToLast && customer % 3 == 0;
        var status = isReturned ? "returned"
            : isLast && customer % 11 == 0 ? "cancelled"
            : age <= 2 ? "processing"
            : age <= 6 ? "shipped"
            : "delivered";
        Insert("orders", order, 20_000 + order * 7, customer, Iso(day), status);

        var total = AddItems(order, day);
        if (status != "processing" && status != "cancelled")
            AddShipment(order, day, delivered: status != "shipped");
        if (status == "cancelled")
            return;

        var isOpen = isLast && customer % 4 == 1;
        AddInvoice(customer, order, null, day, total, isOpen, method);
        if (isLast && customer % 6 == 2)
            AddInvoice(customer, order, null, day, total, isOpen: false, method);
        if (isReturned)
            AddRefund(customer, order, day, total);
    }

    decimal AddItems(int order, DateOnly day)
    {
        var total = 0m;
        var first = Next(0, products.Count - 1);
        var kinds = Next(1, 3);
        for (var nth = 0; nth < kinds; nth++)
        {
            var product = products[(first + nth * 7) % products.Count];
            var quantity = product.PriceEur < 60 ? Next(1, 3) : 1;
            Insert("order_items", order, product.Id, quantity, product.PriceEur,
                $"{product.ModelNumber[..2]}{Next(100_000, 999_999)}{order:000}", Iso(day.AddYears(product.WarrantyYears)));
            total += quantity * product.PriceEur;
        }
        return total;
    }

    void AddShipment(int order, DateOnly ordered, bool delivered)
    {
        var shipped = ordered.AddDays(1);
        var expected = shipped.AddDays(Next(2, 5));
        Insert("shipments", ++shipments, order, Pick(Carriers), $"TR{Next(10_000_000, 99_999_999)}", Iso(shipped), Iso(expected),
            delivered ? Iso(expected.AddDays(Next(-1, 1))) : null);
    }

    void AddInvoice(
        int customer, int? order, int? subscription, DateOnly day, decimal amount, bool isOpen, string method) =>
        Insert("invoices", $"INV-{day.Year}-{++invoices:0000}", customer, order, subscription, Iso(day), Iso(day.AddDays(14)), amount,
            isOpen ? "open" : "paid", isOpen ? null : Iso(day), isOpen ? null : method);

    void AddRefund(int customer, int order, DateOnly ordered, decimal amount)
    {
        var refundState = Pick(["requested", "approved", "paid", "paid", "declined"]);
        var requested = ordered.AddDays(Next(6, 14));
        Insert("refunds", ++refunds, customer, order, amount, refundState, Iso(requested),
            refundState == "paid" ? Iso(requested.AddDays(Next(4, 9))) : null);
    }

    void AddSubscription(int customer, string method)
    {
        var subscription = ++subscriptions;
        var (plan, price) = Pick(Catalogue.Plans);
        var standing = Pick(["active", "active", "active", "paused", "cancelled"]);
        var started = Today.AddDays(-Next(40, 400));
        Insert("subscriptions", subscription, customer, plan, price, standing, Iso(started),
            standing == "active" ? Iso(Today.AddDays(Next(1, 28))) : null, Iso(started.AddMonths(12)));

        for (var month = 0; month < 3; month++)
            AddInvoice(customer, null, subscription, started.AddMonths(month), price, isOpen: false, method);
    }

    void Insert(string table, params object?[] values)
    {
        using var insert = connection.CreateCommand();
        insert.Transaction = transaction;
        insert.CommandText = $"INSERT INTO {table} VALUES ({string.Join(", ", values.Select((_, i) => $"@v{i}"))})";
        for (var i = 0; i < values.Length; i++)
            insert.Parameters.AddWithValue($"@v{i}", values[i] is decimal money ? (double)money : values[i] ?? DBNull.Value);
        insert.ExecuteNonQuery();
    }

    T Pick<T>(IReadOnlyList<T> options) => options[Next(0, options.Count - 1)];

    /// <summary>From <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    /// <remarks>Marsaglia's xorshift32 (J. Stat. Software 2003); the slight modulo bias does not matter here.</remarks>
    int Next(int low, int high)
    {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return low + (int)(state % (uint)(high - low + 1));
    }

    static string Iso(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
