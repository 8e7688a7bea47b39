using System.Text.Json.Nodes;
using Flywheel.Demo;
using Flywheel.Demo.Orders;

namespace SupportBot.Tests;

public sealed class FactTextTests
{
    static readonly JsonObject[] Rows =
    [
        new() { ["name"] = "Pinta", ["price_eur"] = 39.9, ["paid_on"] = null },
        new() { ["name"] = "Quirl", ["price_eur"] = 44.0, ["paid_on"] = "2026-05-01" },
    ];

    [Fact]
    public void Placeholders_become_facts()
    {
        Assert.Equal("Pinta: 39.90, –", FactText.Fill("{name}: {price_eur}, {paid_on}", Rows));
        Assert.Equal("2: Pinta, 39.90, –; Quirl, 44.00, 2026-05-01", FactText.Fill("{count}: {rows}", Rows));
        Assert.Equal("No facts {}", FactText.Fill("No facts {}", []));
    }

    [Fact]
    public void A_fact_that_is_not_there_leaves_nothing_to_send()
    {
        Assert.Null(FactText.Fill("{colour}", Rows));
        Assert.Null(FactText.Fill("{name}", []));
        Assert.Null(FactText.Fill("{rows}", []));
    }

    [Fact]
    public void The_writer_learns_names_of_facts_but_no_values()
    {
        Assert.Equal("{name}, {price_eur}, {paid_on}, {rows}, {count}", FactText.Describe(new(Rows, false, null)));
        Assert.Equal("{name}, {price_eur}, {paid_on}", FactText.Describe(new(Rows[..1], false, null)));
        Assert.Equal("none found", FactText.Describe(new([], false, null)));
        Assert.Equal("not available", FactText.Describe(OrdersAnswer.Refused("no such table")));
        Assert.Equal("not needed", FactText.Describe(null));
    }
}
