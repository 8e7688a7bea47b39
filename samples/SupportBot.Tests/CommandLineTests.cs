namespace SupportBot.Tests;

public sealed class CommandLineTests
{
    [Fact]
    public void Words_are_the_message_and_options_stand_anywhere()
    {
        var command = CommandLine.Parse(["where", "--customer", "12", "is my refund?", "--server", "http://127.0.0.1:5151"]);

        Assert.Equal(new("where is my refund?", 12, new Uri("http://127.0.0.1:5151"), null), command);
    }

    [Theory]
    [InlineData("--customer 0 hi", "'0'")]
    [InlineData("--customer 61 hi", "1 to 60")]
    [InlineData("--customer", "needs a value")]
    [InlineData("--server nowhere hi", "'nowhere'")]
    [InlineData("--server ftp://example.org hi", "http")]
    [InlineData("--sevrer x hi", "--sevrer")]
    [InlineData("--customer 3", "message is missing")]
    public void A_mistake_is_named(string line, string hint) =>
        Assert.Contains(
            hint, Assert.Throws<ArgumentException>(() => CommandLine.Parse(line.Split(' '))).Message, StringComparison.Ordinal);
}
