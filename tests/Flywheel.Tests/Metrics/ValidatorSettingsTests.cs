using Flywheel.Core.Metrics;
using Flywheel.Engine.Composition;
using Flywheel.Validators;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public class ValidatorSettingsTests
{
    [Theory]
    [InlineData("length", """{"maxx":5}""", "maxx", "Did you mean `max`?")]
    [InlineData("length", """{"max":5,"colour":1}""", "colour", "Its settings are `min`, `max` and `unit`.")]
    [InlineData("length", """{"max":5,"max":6}""", "max", "is given twice")]
    [InlineData("length", """{"max":"5"}""", "max", "must be a whole number, not a text.")]
    [InlineData("length", """{"max":5.5}""", "max", "is 5.5: give a whole number from 0 to")]
    [InlineData("length", """{"max":-1}""", "max", "is -1: give a whole number from 0 to")]
    [InlineData("length", """{"max":1e400}""", "max", "give a whole number")]
    [InlineData("length", """{"max":5,"min":6}""", "min", "no text can pass")]
    [InlineData("length", """{}""", "max", "give `max`, `min` or both")]
    [InlineData("length", """{"max":5,"unit":"lines"}""", "unit", "is `lines`: give one of `characters`, `words` and `tokens`.")]
    [InlineData("length", """{"max":5,"unit":7}""", "unit", "is a number: give one of")]
    [InlineData("length", "[1]", "validator", "must be a JSON object, not a list")]
    [InlineData("contains", "{}", "text", "`text` is missing from the settings of `contains`: give the phrase")]
    [InlineData("contains", """{"text":[]}""", "text", "is an empty list")]
    [InlineData("contains", """{"text":["a",""]}""", "text", "empty text, which every text contains")]
    [InlineData("contains", """{"text":["a",1]}""", "text", "holds a number")]
    [InlineData("contains", """{"text":{"a":1}}""", "text", "holds an object")]
    [InlineData("contains", """{"text":"a","ignore_case":"yes"}""", "ignore_case", "must be true or false, not a text.")]
    [InlineData("contains", """{"text":"\ud83d"}""", "text", "half of a surrogate pair")]
    [InlineData("contains", """{"text":"a\u0000"}""", "text", "NUL")]
    [InlineData("absent", """{"words":"a","inflections":true,"whole_words":false}""", "inflections", "needs whole words")]
    [InlineData("exact-match", "{}", "expected", "either `expected`")]
    [InlineData("exact-match", """{"expected":"a","expected_attribute":"b"}""", "expected", "not both")]
    [InlineData("regex", """{"pattern":""}""", "pattern", "is empty: give a regular expression.")]
    [InlineData("json", """{"schema":{"type":"strin"}}""", "schema", "#/type must be one or a list of")]
    [InlineData("sql-expression", """{"expression":"length(outptu) < 5"}""", "expression", "Did you mean `output`?")]
    [InlineData("lenght", "{}", "kind", "Did you mean `length`? Known are `absent`, `classifier.rule`, `code.csharp`")]
    [InlineData("", "{}", "kind", "`kind` is missing")]
    [InlineData("judge", "{}", "kind", "needs a language model")]
    public void A_wrong_setting_is_named_with_its_remedy(string kind, string settings, string setting, string words)
    {
        var refused = Refused(kind, settings);

        Assert.Equal(setting, refused.Setting);
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_kind_describes_itself_and_refuses_unknown_settings()
    {
        var registry = EngineValidators.Registry(further: LeafValidators.All());

        Assert.Equal(
            [
                "absent", "classifier.rule", "code.csharp", "code.javascript", "code.sql", "contains", "evaluator", "evaluator.model",
                "exact-match", "external", "input.adversarial", "input.anomaly", "input.complexity", "input.language",
                "input.owner", "input.sensitive", "input.topic", "json", "judge", "length", "one-of",
                "regex", "retriever.nonempty", "sql-expression", "tool.result", "webhook", "writer.diversity", "writer.format",
                "writer.grounded", "writer.perplexity",
                "writer.reading-level", "writer.refusal", "writer.repetition", "writer.same-language",
            ],
            registry.Kinds.Select(kind => kind.Name));
        foreach (var kind in registry.Kinds)
        {
            Assert.NotEmpty(kind.Summary);
            Assert.NotEmpty(kind.Settings);
            Assert.NotEmpty(kind.NodeKinds);
            Assert.NotEmpty(kind.Subjects);
            var context = new ValidatorContext("m", "Good?", kind.Subjects.First());
            var refused = Assert.Throws<ValidatorSettingsException>(() => kind.Create(context, Json("""{"no such thing":1}""")));
            Assert.Equal("no such thing", refused.Setting);
        }
    }

    [Fact]
    public void Two_kinds_of_one_name_are_refused() =>
        Assert.Throws<ArgumentException>(() => EngineValidators.Registry(further: [EngineValidators.Registry().Get("length")]));
}
