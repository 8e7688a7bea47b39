using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Tests.Models;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public sealed class SensitiveTests
{
    const string Kind = "input.sensitive";

    static string Found(string text, string settings = "{}") =>
        string.Join(" | ", (Check(Kind, settings, text).Spans ?? [])
            .Select(span => $"{span.Type}:{text.Substring(span.Start, span.Length)}"));

    [Theory]
    [InlineData("pay with 4111 1111 1111 1111, please", "card:4111 1111 1111 1111")]
    [InlineData("4111-1111-1111-1111 12/27", "card:4111-1111-1111-1111")]
    [InlineData("amex 3782 822463 10005.", "card:3782 822463 10005")]
    [InlineData("４１１１１１１１１１１１１１１１", "card:４１１１１１１１１１１１１１１１")]
    [InlineData("4111\u00a01111\u00a01111\u00a01111", "card:4111\u00a01111\u00a01111\u00a01111")]
    [InlineData("card number 060495752457", "card:060495752457")]
    [InlineData("DE89 3704 0044 0532 0130 00 is mine", "iban:DE89 3704 0044 0532 0130 00")]
    [InlineData("gb82west12345698765432", "iban:gb82west12345698765432")]
    [InlineData("SSN 078-05-1120", "ssn:078-05-1120")]
    [InlineData("my social security number is 078051120", "ssn:078051120")]
    [InlineData("write to (ann.o'hara+x@mail.example.co.uk).", "email:ann.o'hara+x@mail.example.co.uk")]
    [InlineData("jörg@müller.de", "email:jörg@müller.de")]
    [InlineData("host 10.20.30.40:8080 and 2001:db8::ff00:42:8329", "ip:10.20.30.40 | ip:2001:db8::ff00:42:8329")]
    [InlineData("call me at (415) 555-2671 or +44 20 7946 0958", "phone:(415) 555-2671 | phone:+44 20 7946 0958")]
    [InlineData("ruf an: Telefon 030 901820", "phone:030 901820")]
    [InlineData("key AKIAIOSFODNN7EXAMPLE here", "secret:AKIAIOSFODNN7EXAMPLE")]
    [InlineData("password: hunter2!x", "secret:hunter2!x")]
    [InlineData("my password is Tr0ub4dor&3.", "secret:Tr0ub4dor&3")]
    [InlineData("postgres://app:s3cr3tpw@db.example.com/x", "secret:postgres://app:s3cr3tpw@")]
    [InlineData("use vK8pQ2mZx7RtY4nBw9LsD3fHj6GcA5eU now", "secret:vK8pQ2mZx7RtY4nBw9LsD3fHj6GcA5eU")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
        "secret:eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N")]
    [InlineData("api_key = 0123456789abcdef0123456789abcdef", "secret:0123456789abcdef0123456789abcdef")]
    public void What_is_sensitive_is_found_where_it_stands(string text, string expected) => Assert.Equal(expected, Found(text));

    [Theory]
    [InlineData("4111 1111 1111 1112")]
    [InlineData("order 1234567890123456 is late")]
    [InlineData("GB82 WEST 1234 5698 7654 33")]
    [InlineData("666-12-3456 and 900-12-3456 and 123-00-4567")]
    [InlineData("licence 2270-66-1551-9")]
    [InlineData("icon@2x.png, @ann, a@b, ann at example.com")]
    [InlineData("version 1.2.3.4, 1.2.3.400, 01.02.03.04, 1.2.3.4.5")]
    [InlineData("at 12:30:45 std::vector a::b ::")]
    [InlineData("order 4155552671, born 2024-01-15, 3.14159265, total $4155552671")]
    [InlineData("password is required; the token: expired; secret=${SECRET}; pwd=********")]
    [InlineData("commit 9fceb02d0ae598e95dc970b74767f19372d61af8 and 550e8400-e29b-41d4-a716-446655440000")]
    [InlineData("/usr/local/share/SomeLongFolderName2/AnotherFolderName3/file and InternationalizationService2Factory3Builder")]
    [InlineData("0000 0000 0000 0000")]
    public void What_only_looks_like_it_is_left_alone(string text) => Assert.Equal("", Found(text));

    [Fact]
    public void Own_forms_and_types_and_what_is_allowed_are_settings()
    {
        const string text = "C-123456 wrote from ann@example.com and bob@other.org, card 4111111111111111";

        Assert.Equal("customer:C-123456 | email:bob@other.org",
            Found(text, """{"types":["email"],"patterns":{"customer":"C-[0-9]{6}"},"allow":["@example.com"]}"""));
        Assert.Equal("phone:030 901820", Found("030 901820", """{"regions":["DE"]}"""));
    }

    [Theory]
    [InlineData("""{"types":["names"]}""", "types")]
    [InlineData("""{"patterns":{"a":"(?=x)x"}}""", "patterns")]
    [InlineData("""{"patterns":{"card":"x"}}""", "patterns")]
    [InlineData("""{"patterns":["x"]}""", "patterns")]
    [InlineData("""{"patterns":{"a b":"x"}}""", "patterns")]
    [InlineData("""{"regions":["XX"]}""", "regions")]
    public void Settings_that_cannot_work_are_refused(string settings, string setting) =>
        Assert.Equal(setting, Refused(Kind, settings).Setting);

    [Fact]
    public void The_reason_says_what_was_found_and_never_the_thing_itself()
    {
        var finding = Check(Kind, "{}", "mail a@b.com, c@d.com, card 4111111111111111");

        Assert.Equal((Outcome.Fail, 3.0, "found 1 card, 2 email"), (finding.Outcome, finding.Score, finding.Reason));
        Assert.Equal(Outcome.Pass, Check(Kind, "{}", "").Outcome);
    }

    [Fact]
    public void Hostile_texts_of_a_hundred_thousand_characters_end_in_time()
    {
        var random = new Random(7);
        string[] texts =
        [
            new('1', 100_000), string.Concat(Enumerable.Repeat("1 ", 50_000)), string.Concat(Enumerable.Repeat("a@", 50_000)),
            new('@', 100_000),
            new(':', 100_000), string.Concat(Enumerable.Repeat("1.", 50_000)), string.Concat(Enumerable.Repeat("GB82", 25_000)),
            string.Concat(Enumerable.Repeat("call 030 901 ", 8_000)), string.Concat(Enumerable.Repeat("key=", 25_000)), new('a', 100_000),
            string.Concat(Enumerable.Range(0, 100_000).Select(_ => (char)random.Next(32, 127))),
            string.Concat(Enumerable.Repeat("-----BEGIN ", 9_000)),
        ];
        Check(Kind, "{}", texts[10]);
        foreach (var text in texts)
        {
            var taken = ThreadTime.Of(() => Check(Kind, "{}", text));

            Assert.True(taken < TimeSpan.FromMilliseconds(500), $"{taken} for {text[..20]}");
        }
    }

    /// <summary>The figures of docs/guards.md, on the rows that are shared.</summary>
    [Fact]
    public void Known_sentences_are_read_as_well_as_promised()
    {
        var names = new Dictionary<string, string>
        {
            ["CREDIT_CARD"] = "card", ["IBAN_CODE"] = "iban", ["US_SSN"] = "ssn", ["PHONE_NUMBER"] = "phone", ["EMAIL_ADDRESS"] = "email",
            ["IP_ADDRESS"] = "ip",
        };
        var hits = new Dictionary<string, (int Right, int Wrong, int Missed)>();
        foreach (var line in File.ReadLines(SharedData.Path("pii_presidio", "sentences.jsonl")))
        {
            var row = JsonDocument.Parse(line).RootElement;
            var gold = row.GetProperty("spans").EnumerateArray()
                .Where(span => names.ContainsKey(span.GetProperty("type").GetString()!))
                .Select(span => (Type: names[span.GetProperty("type").GetString()!], Start: span.GetProperty("start").GetInt32(),
                    End: span.GetProperty("end").GetInt32()))
                .ToArray();
            var found = Check(Kind, "{}", row.GetProperty("text").GetString()).Spans!;
            bool Meet((string Type, int Start, int End) a, FoundSpan b) => a.Type == b.Type && a.Start < b.End && b.Start < a.End;
            foreach (var type in names.Values)
            {
                var (right, wrong, missed) = hits.GetValueOrDefault(type);
                right += gold.Count(each => each.Type == type && found.Any(span => Meet(each, span)));
                missed += gold.Count(each => each.Type == type && !found.Any(span => Meet(each, span)));
                wrong += found.Count(span => span.Type == type && !gold.Any(each => Meet(each, span)));
                hits[type] = (right, wrong, missed);
            }
        }

        foreach (var (type, (precision, recall)) in new Dictionary<string, (double, double)>
        {
            ["card"] = (0.95, 0.98), ["iban"] = (0.95, 0.98), ["ssn"] = (0.95, 0.98), ["email"] = (0.99, 0.99), ["phone"] = (0.8, 0.9),
            ["ip"] = (0.9, 0.95),
        })
        {
            var (right, wrong, missed) = hits[type];
            Assert.True(right >= precision * (right + wrong) && right >= recall * (right + missed), $"{type}: {hits[type]}");
        }
    }
}
