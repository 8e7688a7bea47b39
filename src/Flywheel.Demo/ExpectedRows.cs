using Flywheel.Demo.Orders;

namespace Flywheel.Demo;

/// <summary>Computes anew what the reference statements give.</summary>
static class ExpectedRows
{
    public static IEnumerable<SupportMessage> Of(IEnumerable<SupportMessage> messages, OrdersDatabase orders)
    {
        var query = new OrdersQuery(orders, TimeSpan.FromSeconds(10), maxRows: 1000);
        foreach (var message in messages)
        {
            if (message.ReferenceSql is not { } sql)
            {
                yield return message;
                continue;
            }
            var answer = query.Run(sql, message.CustomerId, OrderNumber.In(message.Text), CancellationToken.None);
            if (answer.Error is { } error)
                throw new ArgumentException($"The reference statement of {message.Id} fails: {error}");
            yield return message with { ExpectedRows = answer.Rows };
        }
    }
}
