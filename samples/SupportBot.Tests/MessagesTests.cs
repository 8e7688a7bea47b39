using System.Text.Json.Nodes;
using Flywheel.Demo;
using Flywheel.Demo.Orders;

namespace SupportBot.Tests;

public sealed class MessagesTests
{
    readonly IReadOnlyList<SupportMessage> messages = SupportMessages.Load();

    [Fact]
    public void Every_reference_statement_gives_the_expected_rows()
    {
        using var orders = OrdersDatabase.Create();
        var query = new OrdersQuery(orders, TimeSpan.FromSeconds(10), maxRows: 1000);

        foreach (var message in messages.Where(message => message.ReferenceSql is not null))
        {
            var answer = query.Run(message.ReferenceSql!, message.CustomerId, OrderNumber.In(message.Text), Ct);

            Assert.True(answer.Error is null, $"{message.Id}: {answer.Error}");
            Assert.True(
                JsonNode.DeepEquals(Array(answer.Rows), Array(message.ExpectedRows!)),
                $"{message.Id} expects {Array(message.ExpectedRows!)} and got {answer.ToJson()}; see --write-expected.");
        }
    }

    [Fact]
    public void Reference_statement_rows_and_lookup_name_come_together()
    {
        foreach (var message in messages)
        {
            Assert.Equal(message.Sql is null, message.ReferenceSql is null);
            Assert.Equal(message.Sql is null, message.ExpectedRows is null);
        }
    }

    [Fact]
    public void Questions_of_one_kind_share_one_statement_for_the_signed_in_customer()
    {
        var byName = messages.Where(message => message.Sql is not null).ToLookup(message => message.Sql, message => message.ReferenceSql!);

        Assert.Equal(15, byName.Count);
        Assert.All(byName, statements => Assert.Single(statements.Distinct()));
        Assert.Equal(15, byName.Select(statements => statements.First()).Distinct().Count());
        Assert.All(byName, statements => Assert.Contains("@customer_id", statements.First(), StringComparison.Ordinal));
        Assert.All(byName, statements => Assert.True(statements.Count() >= 6, statements.Key));
    }

    [Fact]
    public void Every_expected_answer_can_be_filled_from_the_expected_rows()
    {
        foreach (var message in messages)
        {
            Assert.NotNull(message.ExpectedAnswer);

            Assert.True(FactText.Fill(message.ExpectedAnswer, message.ExpectedRows ?? []) is not null, message.Id);
        }
    }

    [Fact]
    public void Almost_every_lookup_finds_something()
    {
        var lookups = messages.Where(message => message.ExpectedRows is not null).ToList();

        Assert.InRange(lookups.Count(message => message.ExpectedRows!.Count == 0), 1, lookups.Count / 20);
    }

    [Fact]
    public void The_messages_are_as_varied_as_the_readme_says()
    {
        Assert.InRange(messages.Count, 290, 330);
        Assert.Equal(messages.Count, messages.Select(message => message.Text.ToUpperInvariant()).Distinct().Count());
        Assert.Equal(messages.Count, messages.Select(message => message.Id).Distinct().Count());
        foreach (var intent in SupportNodes.Intents)
            Assert.InRange(Share(message => message.Intent == intent), 0.25, 0.40);
        Assert.Equal(messages.Count, messages.Count(message => SupportNodes.Intents.Contains(message.Intent)));
        Assert.InRange(Share(message => message.Language == "de"), 0.18, 0.22);
        Assert.InRange(Share(message => message.Sql is not null), 0.38, 0.48);
        foreach (var kind in new[] { "out-of-scope", "hostile", "typo" })
            Assert.InRange(messages.Count(message => message.Kind == kind), 20, 25);
        var words = messages.Select(message => message.Text.Split(' ').Length).ToList();
        Assert.True(words.Min() <= 3 && words.Max() >= 100, $"{words.Min()} to {words.Max()} words");
    }

    [Fact]
    public void A_session_belongs_to_one_customer_and_some_have_several_messages()
    {
        var sessions = messages.GroupBy(message => message.Session).ToList();

        Assert.All(sessions, session => Assert.Single(session.Select(message => message.CustomerId).Distinct()));
        Assert.Contains(sessions, session => session.Count() > 2);
    }

    [Fact]
    public void Expected_outputs_follow_the_graph()
    {
        var lookup = messages.First(message => message.Sql is not null);
        var other = messages.First(message => message is { Sql: null, Intent: "technical" });

        Assert.Equal(lookup.ReferenceSql, lookup.ExpectedOutput(SupportNodes.OrdersSql));
        Assert.Null(lookup.ExpectedOutput(lookup.Intent));
        Assert.Equal("NONE", other.ExpectedOutput(SupportNodes.OrdersSql));
        Assert.Equal(other.ExpectedAnswer, other.ExpectedOutput(SupportNodes.Technical));
        Assert.Null(other.ExpectedOutput(SupportNodes.Billing));
        Assert.Equal("technical", other.ExpectedOutput(SupportNodes.Intent));
    }

    [Fact]
    public void Written_messages_read_back_unchanged()
    {
        var again = SupportMessages.Parse(SupportMessages.Write(messages));

        Assert.Equal(SupportMessages.Write(messages), SupportMessages.Write(again));
        Assert.Contains("ü", SupportMessages.Write(messages), StringComparison.Ordinal);
    }

    double Share(Func<SupportMessage, bool> which) => (double)messages.Count(which) / messages.Count;

    static JsonArray Array(IReadOnlyList<JsonObject> rows) => new([.. rows.Select(row => row.DeepClone())]);

    static CancellationToken Ct => TestContext.Current.CancellationToken;
}
