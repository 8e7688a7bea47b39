using CsCheck;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public class TextValidatorTests
{
    [Theory]
    [InlineData("""{"text":"refund"}""", "We refund you.", Outcome.Pass)]
    [InlineData("""{"text":"Refund"}""", "We refund you.", Outcome.Fail)]
    [InlineData("""{"text":"Refund","ignore_case":true}""", "We refund you.", Outcome.Pass)]
    [InlineData("""{"text":["sorry","refund"]}""", "We refund you.", Outcome.Pass)]
    [InlineData("""{"text":["sorry","refund"],"match":"all"}""", "We refund you.", Outcome.Fail)]
    [InlineData("""{"text":["We","refund"],"match":"all"}""", "We refund you.", Outcome.Pass)]
    [InlineData("""{"text":"fund","whole_words":true}""", "We refund you.", Outcome.Fail)]
    [InlineData("""{"text":"C++","whole_words":true}""", "Use C++, please", Outcome.Pass)]
    [InlineData("""{"text":"ÄRGER","ignore_case":true}""", "ärger", Outcome.Pass)]
    [InlineData("""{"text":"x"}""", "", Outcome.Fail)]
    public void Contains_finds_phrases(string settings, string text, Outcome expected) =>
        Assert.Equal(expected, Check("contains", settings, text).Outcome);

    [Theory]
    [InlineData("""{"words":["delve","crucial"]}""", "A plain text.", Outcome.Pass)]
    [InlineData("""{"words":["delve","crucial"]}""", "Let us Delve in.", Outcome.Fail)]
    [InlineData("""{"words":["delve","crucial"]}""", "They delved; crucially so.", Outcome.Pass)]
    [InlineData("""{"words":["delve"],"inflections":true}""", "They delved.", Outcome.Fail)]
    [InlineData("""{"words":["delve"],"inflections":true}""", "Delving into it", Outcome.Fail)]
    [InlineData("""{"words":["crucial"],"inflections":true}""", "crucially", Outcome.Fail)]
    [InlineData("""{"words":["commit"],"inflections":true}""", "committing", Outcome.Fail)]
    [InlineData("""{"words":["rely"],"inflections":true}""", "she relies on it", Outcome.Fail)]
    [InlineData("""{"words":["rely"],"inflections":true}""", "she relished it", Outcome.Pass)]
    [InlineData("""{"words":["box"],"inflections":true}""", "boxes", Outcome.Fail)]
    [InlineData("""{"words":"del","whole_words":false}""", "delve", Outcome.Fail)]
    [InlineData("""{"words":["delve"],"ignore_case":false}""", "Delve", Outcome.Pass)]
    [InlineData("""{"words":["as an AI"]}""", "Well, as an ai I cannot.", Outcome.Fail)]
    public void Absent_finds_forbidden_words(string settings, string text, Outcome expected) =>
        Assert.Equal(expected, Check("absent", settings, text).Outcome);

    [Fact]
    public void Absent_says_which_words_it_found_and_how_often()
    {
        var finding = Check("absent", """{"words":["delve","crucial","tapestry"]}""", "Crucial! We delve, and delve again.");

        Assert.Equal("found: `delve` (2 times), `crucial`", finding.Reason);
        Assert.Equal(3, finding.Score);
    }

    [Fact]
    public void Absent_passes_exactly_when_no_word_of_the_text_is_listed() => Gen.Select(
        Gen.Char['a', 'c'].Array[1, 3].Select(letters => new string(letters)).List[1, 4],
        Gen.Char['a', 'c'].Array[1, 3].Select(letters => new string(letters)).List[0, 20])
        .Sample((words, text) =>
        {
            var finding = Check("absent", $$"""{"words":["{{string.Join("\",\"", words)}}"]}""", string.Join(' ', text));

            Assert.Equal(text.Exists(words.Contains) ? Outcome.Fail : Outcome.Pass, finding.Outcome);
            Assert.Equal(text.Count(words.Contains), finding.Score);
        }, iter: 300);

    [Theory]
    [InlineData("""{"max":5}""", "hello", Outcome.Pass, 5)]
    [InlineData("""{"max":5}""", "hello!", Outcome.Fail, 6)]
    [InlineData("""{"min":1}""", "", Outcome.Fail, 0)]
    [InlineData("""{"max":1}""", "😀", Outcome.Pass, 1)]
    [InlineData("""{"max":3,"min":3,"unit":"words"}""", "  one\ttwo\nthree ", Outcome.Pass, 3)]
    [InlineData("""{"max":3,"unit":"tokens"}""", "a b c d", Outcome.Fail, 4)]
    public void Length_counts_in_its_unit_with_both_bounds_allowed(string settings, string text, Outcome expected, double length)
    {
        var finding = Check("length", settings, text);

        Assert.Equal(expected, finding.Outcome);
        Assert.Equal(length, finding.Score);
    }

    [Fact]
    public void Length_counts_characters_as_runes() => Gen.String.Where(text => SpanRules.Text(text) is null).Sample(text =>
        Assert.Equal(text.EnumerateRunes().Count(), Check("length", """{"max":0}""", text).Score));

    [Theory]
    [InlineData("""{"values":["billing","technical"]}""", " billing\n", Outcome.Pass)]
    [InlineData("""{"values":["billing","technical"],"trim":false}""", " billing", Outcome.Fail)]
    [InlineData("""{"values":["billing","technical"]}""", "Billing", Outcome.Fail)]
    [InlineData("""{"values":["billing","technical"],"ignore_case":true}""", "Billing", Outcome.Pass)]
    [InlineData("""{"values":["billing","technical"]}""", "billing technical", Outcome.Fail)]
    [InlineData("""{"values":["billing","technical"]}""", "", Outcome.Fail)]
    public void One_of_wants_the_whole_text(string settings, string text, Outcome expected) =>
        Assert.Equal(expected, Check("one-of", settings, text).Outcome);

    [Fact]
    public void One_of_suggests_what_was_probably_meant() =>
        Assert.Equal("\"biling\" is none of the 2 values. Did you mean `billing`?",
            Check("one-of", """{"values":["billing","technical"]}""", "biling").Reason);

    [Theory]
    [InlineData("""{"expected":"42"}""", " 42 ", Outcome.Pass)]
    [InlineData("""{"expected":"42","trim":false}""", " 42", Outcome.Fail)]
    [InlineData("""{"expected":"Yes","ignore_case":true}""", "yes", Outcome.Pass)]
    [InlineData("""{"expected":"a b","normalise_whitespace":true}""", "a \n\t b", Outcome.Pass)]
    [InlineData("""{"expected":"a b"}""", "a  b", Outcome.Fail)]
    [InlineData("""{"expected":""}""", "", Outcome.Pass)]
    public void Exact_match_compares_with_a_fixed_text(string settings, string text, Outcome expected) =>
        Assert.Equal(expected, Check("exact-match", settings, text).Outcome);

    [Theory]
    [InlineData("""{"reference":{"answer":"42"}}""", Outcome.Pass)]
    [InlineData("""{"reference.answer":"42"}""", Outcome.Pass)]
    [InlineData("""{"reference":{"answer":42}}""", Outcome.Pass)]
    [InlineData("""{"reference":{"answer":"43"}}""", Outcome.Fail)]
    [InlineData("""{"reference":{"answer":null}}""", Outcome.Skipped)]
    [InlineData("""{"reference":{"answer":["42"]}}""", Outcome.Skipped)]
    [InlineData("""{"reference":"42"}""", Outcome.Skipped)]
    [InlineData("""{"reference":{"answer":"\ud800"}}""", Outcome.Skipped)]
    [InlineData("{}", Outcome.Skipped)]
    [InlineData("no json", Outcome.Skipped)]
    [InlineData(null, Outcome.Skipped)]
    public void Exact_match_finds_the_expected_text_in_the_attributes_or_says_that_there_is_none(string? attributes, Outcome expected)
    {
        var finding = Check("exact-match", """{"expected_attribute":"reference.answer"}""", "42", NewSpan("42", attributes));

        Assert.Equal(expected, finding.Outcome);
        if (expected == Outcome.Skipped)
            Assert.StartsWith("no expected value: ", finding.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("contains", """{"text":"a"}""")]
    [InlineData("absent", """{"words":"a"}""")]
    [InlineData("regex", """{"pattern":"a"}""")]
    [InlineData("length", """{"max":1}""")]
    [InlineData("one-of", """{"values":["a"]}""")]
    [InlineData("json", "{}")]
    [InlineData("exact-match", """{"expected":"a"}""")]
    public void A_span_without_the_text_is_skipped(string kind, string settings)
    {
        Assert.Equal(Finding.Skipped("the span has no output"), Check(kind, settings, null));
        Assert.Equal(Finding.Skipped("the span has no output: the call failed"),
            Check(kind, settings, null, NewSpan(null) with { Error = "timeout" }));
    }

    [Fact]
    public void The_version_depends_on_the_settings_and_not_on_their_order()
    {
        var one = Make("length", """{"max":5,"unit":"words"}""").Version;

        Assert.Equal(one, Make("length", """{ "unit": "words", "max": 5 }""").Version);
        Assert.NotEqual(one, Make("length", """{"max":6,"unit":"words"}""").Version);
        Assert.NotEqual(one, Make("absent", """{"words":"a"}""").Version);
    }
}
