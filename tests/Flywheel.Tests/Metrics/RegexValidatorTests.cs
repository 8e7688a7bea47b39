using Flywheel.Core.Metrics;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public class RegexValidatorTests
{
    [Theory]
    [InlineData("""{"pattern":"\\bno\\b"}""", "say no more", Outcome.Pass)]
    [InlineData("""{"pattern":"\\bno\\b"}""", "nothing", Outcome.Fail)]
    [InlineData("""{"pattern":"\\d+","match":"full"}""", "123", Outcome.Pass)]
    [InlineData("""{"pattern":"\\d+","match":"full"}""", "123\n", Outcome.Fail)]
    [InlineData("""{"pattern":"a|b","match":"full"}""", "ab", Outcome.Fail)]
    [InlineData("""{"pattern":"a|ab","match":"full"}""", "ab", Outcome.Pass)]
    [InlineData("""{"pattern":"secret","expect":"no_match"}""", "nothing", Outcome.Pass)]
    [InlineData("""{"pattern":"secret","expect":"no_match"}""", "a secret", Outcome.Fail)]
    [InlineData("""{"pattern":"SECRET","ignore_case":true}""", "a secret", Outcome.Pass)]
    public void It_matches_anywhere_or_in_full_as_asked(string settings, string text, Outcome expected) =>
        Assert.Equal(expected, Check("regex", settings, text).Outcome);

    [Fact]
    public void An_unwanted_match_is_located_without_quoting_it() =>
        Assert.Equal("matches at character 3 (6 characters)",
            Check("regex", """{"pattern":"s\\w+","expect":"no_match"}""", "a secret").Reason);

    [Theory]
    [InlineData("(?=a)b")]
    [InlineData("(?!a)b")]
    [InlineData("(?<=a)b")]
    [InlineData("(?<!a)b")]
    [InlineData(@"(a)\1")]
    [InlineData("(?>a+)b")]
    [InlineData("(?(a)b|c)")]
    [InlineData("((a{1000}){1000}){1000}")]
    public void What_can_take_for_ever_is_refused_with_the_remedy(string pattern)
    {
        var refused = Refused("regex", System.Text.Json.JsonSerializer.Serialize(new { pattern }));

        Assert.Equal("pattern", refused.Setting);
        Assert.Contains("combine two metrics", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a)(b")]
    [InlineData("[a")]
    [InlineData("*")]
    public void A_malformed_pattern_is_refused(string pattern) =>
        Assert.Contains("is no regular expression",
            Refused("regex", System.Text.Json.JsonSerializer.Serialize(new { pattern, match = "full" })).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("^(a+)+$")]
    [InlineData("^(a|aa)+$")]
    [InlineData("(a*)*b")]
    [InlineData("^(([a-z])+.)+[A-Z]([a-z])+$")]
    [InlineData("(.*)(.*)(.*)(.*)(.*)x")]
    [InlineData(@"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$")]
    [InlineData("(?:a?){50}a{50}b")]
    [InlineData(".*a.{12}b")]
    public async Task Hostile_patterns_and_texts_end_within_100_ms(string pattern)
    {
        var validator = Make("regex", System.Text.Json.JsonSerializer.Serialize(new { pattern }));
        var text = new string('a', 100_000) + "!";
        await validator.CheckAsync(new(text[..1000], null), Ct);

        var fastest = TimeSpan.MaxValue;
        for (var run = 0; run < 3; run++)
        {
            var (finding, taken) = await ThreadTime.OfSynchronousAsync(() => validator.CheckAsync(new(text, null), Ct));
            fastest = taken < fastest ? taken : fastest;
            Assert.NotEqual(Outcome.Error, finding.Outcome);
        }

        Assert.InRange(fastest.TotalMilliseconds, 0, 100);
    }
}
