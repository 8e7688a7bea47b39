using SupportBot;
using SupportBot.Orders;

if (args is ["--write-expected", var file])
{
    using var orders = OrdersDatabase.Create();
    var query = new OrdersQuery(orders, TimeSpan.FromSeconds(10), maxRows: 1000);
    File.WriteAllText(file, SupportMessages.Write(SupportMessages.Load().Select(message => message.ReferenceSql is null
        ? message
        : message with { ExpectedRows = query.Run(message.ReferenceSql, message.CustomerId, OrderNumber.In(message.Text), default).Rows })));
    return 0;
}
return 2;
