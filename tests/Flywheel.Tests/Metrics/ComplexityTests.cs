using Flywheel.Core.Metrics;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public sealed class ComplexityTests
{
    const string Kind = "input.complexity";

    [Theory]
    [InlineData("{}", "Where is my order? I have waited for two weeks.", null)]
    [InlineData("""{"max_tokens":5}""", "abc def", "6 tokens, more than 5")]
    [InlineData("""{"min_tokens":5}""", "abc", "3 tokens, fewer than 5")]
    [InlineData("""{"max_sentences":2}""", "One. Two! Three?", "3 sentences, more than 2")]
    [InlineData("""{"max_sentences":2}""", "It costs 3.50 at example.com. Yes.", null)]
    [InlineData("""{"max_words_per_sentence":3}""", "One two three. One two three four.", "4 words in a sentence, more than 3")]
    [InlineData("""{"max_lines":1}""", "a\n\nb\r\nc", "3 lines, more than 1")]
    [InlineData("""{"max_links":1}""", "see http://a.b and https://c.d", "2 links, more than 1")]
    [InlineData("""{"max_unbroken":5}""", "abcdef https://a.very.long.example", "6 characters without a space, more than 5")]
    [InlineData("""{"max_nesting":2}""", "f(g(h(x)))", "3 levels of brackets, more than 2")]
    [InlineData("""{"max_nesting":2}""", "(a) (b) (c) ))) (d)", null)]
    [InlineData("{}", "", null)]
    public void A_text_is_measured_against_the_ranges(string settings, string text, string? reason)
    {
        var finding = Check(Kind, settings, text);

        Assert.Equal((reason is null ? Outcome.Pass : Outcome.Fail, reason), (finding.Outcome, finding.Reason));
    }

    [Fact]
    public void A_range_that_nothing_fits_is_refused() =>
        Assert.Equal("min_tokens", Refused(Kind, """{"min_tokens":10,"max_tokens":5}""").Setting);
}
