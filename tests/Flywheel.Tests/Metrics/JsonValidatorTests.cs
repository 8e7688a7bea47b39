using System.Text.Json;
using CsCheck;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics.Schema;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public class JsonValidatorTests
{
    [Theory]
    [InlineData("{}", """{"a":[1,2,{"b":null}]}""", Outcome.Pass)]
    [InlineData("{}", "  17 ", Outcome.Pass)]
    [InlineData("{}", "", Outcome.Fail)]
    [InlineData("{}", "Sure! {}", Outcome.Fail)]
    [InlineData("{}", """{"a":1} {"b":2}""", Outcome.Fail)]
    [InlineData("{}", """{"a":1,}""", Outcome.Fail)]
    [InlineData("{}", """{"a":1 /* x */}""", Outcome.Fail)]
    [InlineData("{}", "{'a':1}", Outcome.Fail)]
    [InlineData("{}", "NaN", Outcome.Fail)]
    [InlineData("{}", """{"a":1,"a":2}""", Outcome.Fail)]
    [InlineData("{}", """{"a":1,"\u0061":2}""", Outcome.Fail)]
    [InlineData("{}", """["\ud800"]""", Outcome.Fail)]
    [InlineData("{}", "```json\n{}\n```", Outcome.Fail)]
    [InlineData("""{"allow_fence":true}""", "```json\n{}\n```", Outcome.Pass)]
    [InlineData("""{"allow_fence":true}""", "```\n{}\n```\n", Outcome.Pass)]
    [InlineData("""{"allow_fence":true}""", "{}", Outcome.Pass)]
    [InlineData("""{"allow_fence":true}""", "Here: ```json\n{}\n```", Outcome.Fail)]
    [InlineData("""{"allow_fence":true}""", "```sql\n{}\n```", Outcome.Fail)]
    [InlineData("""{"allow_fence":true}""", "```json\n{}\n```\n```json\n{}\n```", Outcome.Fail)]
    public void It_reads_strictly(string settings, string text, Outcome expected) =>
        Assert.Equal(expected, Check("json", settings, text).Outcome);

    [Fact]
    public void A_text_nested_without_end_is_a_fail_and_not_a_fault() =>
        Assert.Contains("nested deeper than 64 levels", Check("json", "{}", new string('[', 100_000)).Reason, StringComparison.Ordinal);

    [Fact]
    public void The_reason_names_the_first_errors_with_their_paths()
    {
        const string settings =
            """
            {"schema":{"type":"object","required":["id","total"],"additionalProperties":false,"properties":{
                "id":{"type":"string","pattern":"^[A-Z]{2}\\d+$"},"total":{"type":"number","minimum":0},
                "items":{"type":"array","items":{"type":"object","properties":{"count":{"type":"integer"}}}}}}}
            """;

        var finding = Check("json", settings, """{"id":"x1","items":[{"count":1},{"count":1.5}],"extra":true}""");

        Assert.Equal(Outcome.Fail, finding.Outcome);
        Assert.Equal(
            """total is missing; extra is not allowed here; id does not match "^[A-Z]{2}\d+$"; items[1].count is a number, not integer""",
            finding.Reason);
    }

    [Theory]
    [InlineData("""{"const":5}""", "5.0", "6")]
    [InlineData("""{"enum":["a",null,1]}""", "1.0", "\"b\"")]
    [InlineData("""{"type":["integer","null"]}""", "1.0", "1.5")]
    [InlineData("""{"exclusiveMinimum":0,"multipleOf":0.01}""", "0.07", "0.075")]
    [InlineData("""{"exclusiveMaximum":1}""", "0.999", "1")]
    [InlineData("""{"minLength":2,"maxLength":2}""", "\"😀😀\"", "\"😀\"")]
    [InlineData("""{"prefixItems":[{"type":"string"},{"type":"number"}],"items":false}""", "[\"a\",1]", "[\"a\",1,2]")]
    [InlineData("""{"items":[{"type":"string"}],"additionalItems":{"type":"number"}}""", "[\"a\",1]", "[\"a\",\"b\"]")]
    [InlineData("""{"contains":{"const":1},"maxContains":2}""", "[1,2,1]", "[1,1,1]")]
    [InlineData("""{"contains":{"const":1},"minContains":0}""", "[]", null)]
    [InlineData("""{"uniqueItems":true}""", "[1,\"1\",{\"a\":1}]", "[{\"a\":1,\"b\":2},{\"b\":2.0,\"a\":1}]")]
    [InlineData("""{"dependentRequired":{"card":["cvc"]}}""", "{\"card\":1,\"cvc\":2}", "{\"card\":1}")]
    [InlineData("""{"dependentSchemas":{"card":{"required":["cvc"]}}}""", "{}", "{\"card\":1}")]
    [InlineData("""{"propertyNames":{"pattern":"^[a-z]+$"}}""", "{\"a\":1}", "{\"A\":1}")]
    [InlineData("""{"patternProperties":{"^n_":{"type":"number"}},"additionalProperties":false}""", "{\"n_a\":1}", "{\"b\":1}")]
    [InlineData("""{"minProperties":1,"maxProperties":1}""", "{\"a\":1}", "{}")]
    [InlineData("""{"if":{"properties":{"kind":{"const":"a"}}},"then":{"required":["x"]},"else":{"required":["y"]}}""",
        "{\"kind\":\"b\",\"y\":1}", "{\"kind\":\"a\",\"y\":1}")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"minimum":2}]}""", "2.5", "3")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}]}""", "null", "1")]
    [InlineData("""{"allOf":[{"minimum":1},{"maximum":2}]}""", "2", "3")]
    [InlineData("""{"not":{"type":"string"}}""", "1", "\"a\"")]
    [InlineData("""{"$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"}},"required":["v"]}},"$ref":"#/$defs/node"}""", "{\"v\":1,\"next\":{\"v\":2}}", "{\"v\":1,\"next\":{}}")]
    [InlineData("""{"$ref":"#/$defs/a~1b%25","$defs":{"a/b%":{"type":"null"}}}""", "null", "1")]
    [InlineData("""{"properties":{"a":true,"b":false}}""", "{\"a\":1}", "{\"b\":1}")]
    [InlineData("""{"format":"date-time"}""", "\"2026-01-31T09:30:00.5+02:00\"", "\"2026-02-30T09:30:00Z\"")]
    [InlineData("""{"format":"uuid"}""", "\"0b3f8a52-1c55-4f0e-9a63-0e6f0d3b6f11\"", "\"0b3f8a52\"")]
    [InlineData("""{"format":"email"}""", "\"a@b.c\"", "\"a b@c\"")]
    [InlineData("""{"format":"ipv4"}""", "\"10.0.0.1\"", "\"10.1\"")]
    public void A_schema_tells_good_from_bad(string schema, string good, string? bad)
    {
        var compiled = JsonSchema.Compile(Json(schema));

        Assert.Empty(compiled.Validate(Json(good)));
        if (bad is not null)
            Assert.NotEmpty(compiled.Validate(Json(bad)));
    }

    [Theory]
    [InlineData("""{"requierd":["a"]}""", "Did you mean `required`?")]
    [InlineData("""{"unevaluatedProperties":false}""", "is not supported: it would not be checked")]
    [InlineData("""{"$ref":"http://127.0.0.1/x.json"}""", "must point into this schema")]
    [InlineData("""{"$ref":"/etc/passwd"}""", "must point into this schema")]
    [InlineData("""{"$ref":"#/$defs/none"}""", "where the schema has nothing")]
    [InlineData("""{"properties":{"a":{"pattern":"(?=x)"}}}""", "#/properties/a/pattern uses look-around")]
    [InlineData("""{"exclusiveMinimum":true}""", "must be a number")]
    [InlineData("""{"required":"a"}""", "#/required must be a list of names")]
    [InlineData("""{"format":"hostname"}""", "use `pattern`")]
    [InlineData("""{"minLength":-1}""", "0 or more")]
    [InlineData("""{"multipleOf":0}""", "above 0")]
    [InlineData("""{"items":5}""", "#/items must be a schema")]
    [InlineData("5", "# must be a schema")]
    public void A_schema_that_would_not_be_checked_is_refused(string schema, string words) =>
        Assert.Contains(words, Assert.Throws<SchemaException>(() => JsonSchema.Compile(Json(schema))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_schema_that_refers_to_itself_for_ever_is_an_error_and_ends()
    {
        Assert.Equal(Outcome.Error, Check("json", """{"schema":{"$ref":"#"}}""", "1").Outcome);
        const string doubling =
            """{"schema":{"$ref":"#/$defs/a","$defs":{"a":{"not":{"allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]}},"b":{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}}}}""";

        var taken = ThreadTime.Of(() => Assert.Equal(Outcome.Error, Check("json", doubling, "1").Outcome));

        Assert.InRange(taken.TotalSeconds, 0, 5);
    }

    [Fact]
    public void A_nested_repeat_in_a_schemas_pattern_is_harmless()
    {
        var text = JsonSerializer.Serialize(new string('a', 100_000) + "!");

        var taken = ThreadTime.Of(() => Assert.Equal(Outcome.Fail, Check("json", """{"schema":{"pattern":"^(a+)+$"}}""", text).Outcome));

        Assert.InRange(taken.TotalSeconds, 0, 2);
    }

    [Fact]
    public void Whatever_the_serializer_writes_is_read() => Gen.Dictionary(Gen.String.AlphaNumeric, Gen.Double)[0, 10].Sample(values =>
    {
        foreach (var key in values.Keys.Where(key => !double.IsFinite(values[key])).ToArray())
            values[key] = 0;
        Assert.Equal(Outcome.Pass,
            Check("json", """{"schema":{"additionalProperties":{"type":"number"}}}""", JsonSerializer.Serialize(values)).Outcome);
    });

    [Fact]
    public void No_text_is_a_fault() => Gen.String.Sample(text =>
        Assert.True(Check("json", """{"schema":{"type":"object"},"allow_fence":true}""", text).Outcome is Outcome.Pass or Outcome.Fail));
}
