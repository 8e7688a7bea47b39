using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Validators.Detection;
using Flywheel.Tests.Metrics.Detection;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public sealed class WriterTests
{
    const string Context =
        """{"context":["Maria Lopez of Acme Tools ordered 3 million screws on July 4, 2024 for $1,200.50.","See https://acme.example/orders."]}""";

    [Theory]
    [InlineData("Maria Lopez ordered 3,000,000 screws for 1200.50 dollars.", null)]
    [InlineData("The order of Acme's Lopez is from 2024-07-04, see https://acme.example/orders.", null)]
    [InlineData("She ordered screws. May I ask why?", null)]
    [InlineData("She ordered 4 million screws.", "number \"4 million\"")]
    [InlineData("She ordered on July 5, 2024.", "date \"July 5, 2024\"")]
    [InlineData("It was ordered by Maria Gomez.", "name \"Maria Gomez\"")]
    [InlineData("See https://acme.example/refunds for more.", "link \"https://acme.example/refunds\"")]
    [InlineData("1. Screws were ordered.\n2. They were paid.", null)]
    public void What_the_context_does_not_hold_is_named(string text, string? missing)
    {
        var finding = Check("writer.grounded", "{}", text, NewSpan(text, Context));

        if (missing is null)
            Assert.Equal((Outcome.Pass, (string?)null), (finding.Outcome, finding.Reason));
        else
        {
            Assert.Equal((Outcome.Fail, "not in the context: " + missing), (finding.Outcome, finding.Reason));
            var span = Assert.Single(finding.Spans!);
            Assert.Equal(missing, $"{span.Type} \"{text.Substring(span.Start, span.Length)}\"");
        }
    }

    [Fact]
    public void Without_a_context_nothing_is_said_and_the_question_counts_as_given()
    {
        Assert.Equal(Outcome.Skipped, Check("writer.grounded", "{}", "Hello.", NewSpan("Hello.")).Outcome);
        var span = NewSpan("It is 17 for Bergen.", """{"context":"none"}""") with { Input = "What is Bergen, 17?" };
        Assert.Equal(Outcome.Pass, Check("writer.grounded", "{}", span.Output, span).Outcome);
        Assert.Equal(Outcome.Fail, Check("writer.grounded", """{"use_input":false}""", span.Output, span).Outcome);
        Assert.Equal(Outcome.Pass, Check("writer.grounded", """{"use_input":false,"check":["dates"]}""", span.Output, span).Outcome);
        Assert.Equal(Outcome.Fail,
            Check("writer.grounded", """{"check":["dates"],"max_new_words":0.5}""", "completely different matters", NewSpan("", Context))
                .Outcome);
    }

    [Theory]
    [InlineData("I'm sorry, but I can't help with that.", true)]
    [InlineData("As an AI language model, I am not able to provide this.", true)]
    [InlineData("Es tut mir leid, dabei kann ich nicht helfen. Ich kann dir dabei nicht helfen.", true)]
    [InlineData("Sure. Turn the key to the left, and the door opens.", false)]
    [InlineData("Sorry for the delay! Your parcel arrives tomorrow.", false)]
    public void A_refusal_fails_where_an_answer_is_due_and_passes_where_it_is_due(string text, bool refuses)
    {
        Assert.Equal(refuses ? Outcome.Fail : Outcome.Pass, Check("writer.refusal", "{}", text).Outcome);
        Assert.Equal(refuses ? Outcome.Pass : Outcome.Fail, Check("writer.refusal", """{"expect":"refusal"}""", text).Outcome);
    }

    [Theory]
    [InlineData("markdown",
        "# Fine\n\n**Bold** and [a link](https://a.example/x_(y)).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```sql\nSELECT '**'\n```", null)]
    [InlineData("markdown", "Look:\n```\ncode", "line 2: a code block is not closed")]
    [InlineData("markdown", "| a | b |\n|---|---|\n| 1 |", "line 3: a table row of 1 cells among 2 columns")]
    [InlineData("markdown", "| a | b |\n|---|\n", "line 2: the table's head has 2 columns and its rule 1")]
    [InlineData("markdown", "This is **bold.", "bold is not closed in \"This is **bold.\"")]
    [InlineData("markdown", "See [here](http://).", "the link \"[here](http://)\" leads nowhere")]
    [InlineData("markdown", "See [here]().", "the link \"[here]()\" leads nowhere")]
    [InlineData("markdown", "See [here](https://a.example", "the link \"[here](https://a.example\" is not closed")]
    [InlineData("markdown", "See [here][one].", "the link \"[here][one]\" is defined nowhere")]
    [InlineData("markdown", "See [here][one].\n\n[one]: https://a.example", null)]
    [InlineData("markdown", "##Heading", "line 1: a heading needs a space after #")]
    [InlineData("json", "{\"a\":1}", null)]
    [InlineData("plain", "Dear Ann,\n\n- one\n- two", null)]
    [InlineData("plain", "This is **bold**.", "bold in plain text: \"**bold**\"")]
    [InlineData("plain", "A <b>word</b>", "an HTML tag in plain text: \"<b>\"")]
    public void Broken_form_is_named(string format, string text, string? fault)
    {
        var finding = Check("writer.format", $$"""{"format":"{{format}}"}""", text);

        Assert.Equal((fault is null ? Outcome.Pass : Outcome.Fail, fault), (finding.Outcome, finding.Reason));
    }

    [Fact]
    public void Broken_json_and_forbidden_links_fail()
    {
        Assert.Equal(Outcome.Fail, Check("writer.format", """{"format":"json"}""", "{a:1}").Outcome);
        Assert.Equal(Outcome.Fail, Check("writer.format", """{"allow_links":false}""", "See https://a.example").Outcome);
    }

    [Fact]
    public void Repetition_is_measured_and_quoted()
    {
        var looped = string.Concat(Enumerable.Repeat("We are happy to help you today. ", 5));
        var finding = Check("writer.repetition", "{}", looped);

        Assert.Equal((Outcome.Fail, 0.8), (finding.Outcome, finding.Score!.Value));
        Assert.Contains("\"we are happy to help you today\" (5 times)", finding.Reason, StringComparison.Ordinal);
        Assert.Equal(Outcome.Pass,
            Check("writer.repetition", "{}",
                "The parcel left Bergen on Monday, passed customs a day later and should reach you before the weekend.").Outcome);
        Assert.Equal(Outcome.Pass, Check("writer.repetition", """{"max_share":0.9}""", looped).Outcome);
    }

    [Fact]
    public async Task A_copy_of_a_recent_output_fails_and_a_span_does_not_meet_itself()
    {
        var validator = Make("writer.diversity", """{"min_recent":3}""");
        string[] texts = ["The parcel left the port of Bergen.", "Your bill is due on Friday, not today.",
            "We do not sell blue paint here."];
        for (var i = 0; i < texts.Length; i++)
            Assert.Equal(Outcome.Skipped, (await Ask(texts[i], $"s{i}")).Outcome);

        Assert.Equal(Outcome.Pass, (await Ask("Please try another browser and sign in again.", "s3")).Outcome);
        Assert.Equal(Outcome.Fail, (await Ask("Your bill is due on Friday, not today!", "s4")).Outcome);
        Assert.Equal(Outcome.Pass, (await Ask("Please try another browser and sign in again.", "s3")).Outcome);

        async Task<Finding> Ask(string text, string id) =>
            await validator.CheckAsync(new(text, Stored(NewSpan(text) with { Key = new("t", id) })), Ct);
    }

    [Fact]
    public void The_formulas_give_their_values()
    {
        // 30 words in 3 sentences, none over six letters: LIX is 10.
        var simple = string.Concat(Enumerable.Repeat("The cat sat on the mat and saw a dog. ", 3));

        Assert.Equal((Outcome.Pass, 10.0), Level("""{"max":30}"""));
        Assert.Equal(Outcome.Fail, Level("""{"min":20}""").Outcome);
        // 0.39 * 10 + 11.8 * 1 - 15.59
        Assert.Equal((Outcome.Pass, 0.1), Level("""{"formula":"flesch-kincaid","max":8}"""));
        Assert.Equal(Outcome.Unsure, Check("writer.reading-level", """{"max":30}""", "Too short.").Outcome);
        Assert.Equal(Outcome.Unsure, Check("writer.reading-level", """{"formula":"flesch-kincaid","max":8}""",
            string.Concat(Enumerable.Repeat("Die Bestellung wurde gestern verschickt und kommt bald bei Ihnen an. ", 4))).Outcome);
        Assert.Equal("max", Refused("writer.reading-level", "{}").Setting);

        (Outcome Outcome, double) Level(string settings)
        {
            var finding = Check("writer.reading-level", settings, simple);
            return (finding.Outcome, finding.Score!.Value);
        }
    }

    [Theory]
    [InlineData("Wann kommt meine Bestellung endlich bei mir zu Hause an?",
        "Ihre Bestellung kommt voraussichtlich am Freitag bei Ihnen an.", Outcome.Pass)]
    [InlineData("Wann kommt meine Bestellung endlich bei mir zu Hause an?", "Your order is expected to arrive on Friday afternoon.",
        Outcome.Fail)]
    [InlineData("OK?", "Your order is expected to arrive on Friday afternoon.", Outcome.Unsure)]
    [InlineData(null, "Your order is expected to arrive on Friday afternoon.", Outcome.Skipped)]
    public void The_answers_language_is_the_questions(string? question, string answer, Outcome expected) =>
        Assert.Equal(expected, Check("writer.same-language", "{}", answer, NewSpan(answer) with { Input = question }).Outcome);

    [Theory]
    [InlineData("retriever.nonempty", "{}", "[]", Outcome.Fail)]
    [InlineData("retriever.nonempty", "{}", "[1,2]", Outcome.Pass)]
    [InlineData("retriever.nonempty", "{}", """{"documents":[],"took":3}""", Outcome.Fail)]
    [InlineData("retriever.nonempty", """{"path":"hits.items","min":2}""", """{"hits":{"items":[1]}}""", Outcome.Fail)]
    [InlineData("retriever.nonempty", """{"path":"items"}""", """{"hits":[1]}""", Outcome.Fail)]
    [InlineData("retriever.nonempty", "{}", "a passage", Outcome.Pass)]
    [InlineData("retriever.nonempty", """{"max_ms":100}""", "[1]", Outcome.Fail)]
    [InlineData("tool.result", "{}", "{}", Outcome.Fail)]
    [InlineData("tool.result", """{"allow_empty":true}""", "{}", Outcome.Pass)]
    [InlineData("tool.result", "{}", "0", Outcome.Pass)]
    [InlineData("tool.result", "{}", """{"isError":true,"content":[]}""", Outcome.Fail)]
    [InlineData("tool.result", "{}", """{"error":null,"value":1}""", Outcome.Pass)]
    [InlineData("tool.result", """{"max_ms":100}""", "1", Outcome.Fail)]
    public void Calls_are_judged_by_what_they_bring_and_how_long_they_take(string kind, string settings, string output, Outcome expected) =>
        Assert.Equal(expected, Check(kind, settings, output, NewSpan(output) with { DurationMs = 250 }).Outcome);

    [Theory]
    [InlineData("retriever.nonempty")]
    [InlineData("tool.result")]
    public void A_call_that_failed_fails_without_an_output(string kind) =>
        Assert.Equal((Outcome.Fail, "the call failed: \"timeout\""),
            (Check(kind, "{}", null, NewSpan(null) with { Error = "timeout" }) is var f ? f.Outcome : default, f.Reason));

    [Fact]
    public async Task A_text_unlike_the_approved_ones_fails_and_too_few_are_told()
    {
        string[] items = ["parcel", "invoice", "refund", "bicycle", "account", "warranty", "contract", "ticket"];
        var reference = Enumerable.Range(0, 80)
            .Select(i => $"Hello! Your {items[i % 8]} number {100 + i} is on its way, and we will write again on day {i % 7}. Best "
            + $"wishes, the {items[i / 8 % 8]} team.").ToArray();
        var validator = Detectors.Make("writer.perplexity", new { reference }, subject: MetricSubject.Output);
        var approvals = new Approvals();
        var waiting = Detectors.Make("writer.perplexity", new { }, references: approvals, subject: MetricSubject.Output);

        Assert.Equal(Outcome.Pass,
            (await validator.AskAsync(
                "Hello! Your bicycle number 512 is on its way, and we will write again on day 3. Best wishes, the account team.")).Outcome);
        var odd = await validator.AskAsync("YO DUDE!!! ur stuff is comin, chill out & quit buggin me ok??? kthxbye ;-)");
        Assert.Equal(Outcome.Fail, odd.Outcome);
        Assert.StartsWith("unlike how we write", odd.Reason, StringComparison.Ordinal);
        Assert.Equal(Outcome.Unsure, (await validator.AskAsync("Hello!")).Outcome);
        Assert.Equal(Outcome.Skipped,
            (await waiting.AskAsync("Hello! Your bicycle number 512 is on its way, and we will write again.")).Outcome);
        approvals.Set = new("ref1", reference);
        Assert.EndsWith("-ref1", (await waiting.DecideAsync(new(reference[0], null), Ct)).Version, StringComparison.Ordinal);
        Assert.Equal(MetricSubject.Output, approvals.Asked);
        Assert.Contains("at least 40", Detectors.Refused("writer.perplexity", new { reference = reference.Take(12) }),
            StringComparison.Ordinal);
    }

    sealed class Approvals : IApprovedReferences
    {
        public ReferenceSet? Set { get; set; }
        public MetricSubject? Asked { get; private set; }

        public ValueTask<ReferenceSet?> CurrentAsync(ProjectId project, string metric, MetricSubject subject, CancellationToken ct)
        {
            Asked = subject;
            return new(Set);
        }
    }

    [Theory]
    [InlineData("writer.grounded", """{"check":["colours"]}""", "check")]
    [InlineData("writer.diversity", """{"window":5,"min_recent":9}""", "min_recent")]
    [InlineData("writer.refusal", """{"expect":"both"}""", "expect")]
    [InlineData("retriever.nonempty", """{"min":3,"max":2}""", "max")]
    public void Settings_that_cannot_work_are_refused(string kind, string settings, string setting) =>
        Assert.Equal(setting, Refused(kind, settings).Setting);
}
