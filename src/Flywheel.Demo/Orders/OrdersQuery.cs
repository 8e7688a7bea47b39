using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Flywheel.Demo.Orders;

/// <summary>Runs a statement that a model wrote, as far as the signed-in customer may see.</summary>
/// <remarks>
/// Nothing about the statement is trusted. It runs on a copy of the customer's own rows, so that a forgotten or forged WHERE
/// clause shows nobody else's; SQLite's authorizer refuses everything but reading; values have a largest size, results a largest
/// number of rows, and a deadline interrupts the rest.
/// </remarks>
public sealed class OrdersQuery(OrdersDatabase database, TimeSpan deadline, int maxRows)
{
    const int MaxValueBytes = 1_000_000;

    /// <param name="customer">The signed-in customer; bound as <c>@customer_id</c>.</param>
    /// <param name="orderNumber">The order that the message names; bound as <c>@order_number</c>, null when it names none.</param>
    /// <returns>A wrong statement is an answer with its error, not an exception.</returns>
    public OrdersAnswer Run(string sql, int customer, int? orderNumber, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        using var connection = database.OpenFor(customer);
        raw.sqlite3_limit(connection.Handle, raw.SQLITE_LIMIT_LENGTH, MaxValueBytes);
        raw.sqlite3_set_authorizer(connection.Handle, MayDo, null);
        using var overdue = new CancellationTokenSource(deadline);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(overdue.Token, ct);
        using var interrupt = stop.Token.Register(() => raw.sqlite3_interrupt(connection.Handle));
        try
        {
            return WhyRefused(sql, connection) is { } why
                ? OrdersAnswer.Refused(why)
                : Read(sql, customer, orderNumber, connection, stop.Token);
        }
        catch (Exception e) when (e is SqliteException or InvalidOperationException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            return OrdersAnswer.Refused(
                overdue.IsCancellationRequested ? $"took longer than {deadline.TotalSeconds:0.###} s" : e.Message);
        }
    }

    /// <summary>Asked by SQLite for each thing that a statement would do.</summary>
    static int MayDo(object data, int action, utf8z first, utf8z second, utf8z schema, utf8z view) => action switch
    {
        raw.SQLITE_SELECT or raw.SQLITE_READ or raw.SQLITE_RECURSIVE => raw.SQLITE_OK,
        raw.SQLITE_FUNCTION when second.utf8_to_string() is not "load_extension" => raw.SQLITE_OK,
        _ => raw.SQLITE_DENY,
    };

    static string? WhyRefused(string sql, SqliteConnection connection)
    {
        var code = raw.sqlite3_prepare_v2(connection.Handle, sql, out var statement, out var tail);
        using (statement)
        {
            if (code != raw.SQLITE_OK)
                return raw.sqlite3_errmsg(connection.Handle).utf8_to_string();
            if (statement is null || statement.IsInvalid)
                return "holds no statement";
            if (raw.sqlite3_stmt_isexplain(statement) != 0)
                return "is no SELECT";
            return string.IsNullOrWhiteSpace(tail) ? null : "holds more than one statement";
        }
    }

    OrdersAnswer Read(string sql, int customer, int? orderNumber, SqliteConnection connection, CancellationToken ct)
    {
        using var select = connection.CreateCommand();
        select.CommandText = sql;
        select.Parameters.AddWithValue("@customer_id", customer);
        select.Parameters.AddWithValue("@order_number", orderNumber ?? (object)DBNull.Value);
        using var reader = select.ExecuteReader();
        var rows = new List<JsonObject>();
        while (reader.Read())
        {
            ct.ThrowIfCancellationRequested();
            if (rows.Count == maxRows)
                return new(rows, true, null);
            rows.Add(Row(reader));
        }
        return new(rows, false, null);
    }

    static JsonObject Row(SqliteDataReader reader)
    {
        var row = new JsonObject();
        for (var i = 0; i < reader.FieldCount; i++)
            row[reader.GetName(i)] = reader.GetValue(i) switch
            {
                long whole => JsonValue.Create(whole),
                double real => JsonValue.Create(real),
                string text => JsonValue.Create(text),
                byte[] bytes => JsonValue.Create(Convert.ToHexString(bytes)),
                _ => null,
            };
        return row;
    }
}
