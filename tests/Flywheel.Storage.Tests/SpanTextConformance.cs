using System.Text.Json;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class SpanTextConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static SpanText Text(NewSpan span, TextPlace place, string text, int second = 0, string role = "user") => new(
        span.Key, place, Noon.AddSeconds(second), 0,
        JsonSerializer.Serialize(new[] { new { role, parts = new[] { new { type = "text", content = text } } } }), text, role == "user");

    NewSpan Mute() => NewSpan() with { Input = null, Output = null, Attributes = """{"gen_ai.request.model":"m"}""" };

    [Theory]
    [InlineData("texts, span, work")]
    [InlineData("span, texts, work")]
    [InlineData("span, work, texts, work")]
    [InlineData("first text, span, work, second text, work")]
    public async Task Texts_join_their_span_in_whatever_order_they_come(string order)
    {
        var span = Mute();
        SpanText[] texts =
        [
            Text(span, TextPlace.Input, "be brief", 0, "system"), Text(span, TextPlace.Input, "wo ist es? 📦", 1),
            Text(span, TextPlace.Output, "unterwegs", 2, "assistant"),
        ];
        foreach (var step in order.Split(", "))
            await (step switch
            {
                "span" => SpanAsync(span),
                "work" => FanOutAsync(),
                "first text" => Store.SpanTexts.AddAsync(Home, texts[2..], Noon, Ct),
                "second text" => Store.SpanTexts.AddAsync(Home, texts[..2], Noon, Ct),
                _ => Store.SpanTexts.AddAsync(Home, texts, Noon, Ct),
            });

        var stored = (await Store.Spans.FindAsync(Home, span.Key, Ct))!.Content;

        Assert.Equal(("wo ist es? 📦", "unterwegs"), (stored.Input, stored.Output));
        var attributes = JsonDocument.Parse(stored.Attributes!).RootElement;
        Assert.Equal("m", attributes.GetProperty("gen_ai.request.model").GetString());
        Assert.Equal(["system", "user"],
            attributes.GetProperty("gen_ai.input.messages").EnumerateArray().Select(message => message.GetProperty("role").GetString()));
        Assert.Equal(1, attributes.GetProperty("gen_ai.output.messages").GetArrayLength());
        Assert.True(LateText.IsSameBeside(stored, span));
    }

    [Fact]
    public async Task A_repeat_adds_nothing_and_two_equal_texts_are_two()
    {
        var span = Mute();
        var twice = new[] { Text(span, TextPlace.Input, "again"), Text(span, TextPlace.Input, "again") };
        await SpanAsync(span);
        for (var i = 0; i < 3; i++)
        {
            await Store.SpanTexts.AddAsync(Home, twice, Noon, Ct);
            await FanOutAsync();
        }

        Assert.Equal(2, await CountAsync("span_text"));
        Assert.Equal(0, (await Store.Jobs.CountsAsync(Noon, Ct)).PendingSpans);
        var attributes = JsonDocument.Parse((await Store.Spans.FindAsync(Home, span.Key, Ct))!.Content.Attributes!).RootElement;
        Assert.Equal(2, attributes.GetProperty("gen_ai.input.messages").GetArrayLength());
    }

    [Fact]
    public async Task What_a_span_brought_itself_stays()
    {
        var span = NewSpan() with { Attributes = """{"gen_ai.input.messages":[{"role":"user","parts":[]}]}""" };
        await SpanAsync(span);
        await Store.SpanTexts.AddAsync(Home, [Text(span, TextPlace.Input, "other")], Noon, Ct);
        await FanOutAsync();

        Assert.Equal(span.Input, (await Store.Spans.FindAsync(Home, span.Key, Ct))!.Content.Input);
    }

    [Fact]
    public async Task Another_projects_texts_stay_there()
    {
        var span = Mute();
        await SpanAsync(span);
        var other = (await Store.Projects.EnsureAsync("other", Noon, Ct)).Id;
        await Store.SpanTexts.AddAsync(other, [Text(span, TextPlace.Input, "foreign")], Noon, Ct);
        await FanOutAsync();

        Assert.Null((await Store.Spans.FindAsync(Home, span.Key, Ct))!.Content.Input);
    }

    [Fact]
    public async Task A_span_whose_text_came_later_is_validated_again()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync(Mute());
        await FanOutAsync();
        var first = Assert.Single(await ClaimAsync());
        await Store.Jobs.EndAsync([new JobEnd.Done(first, Verdict(span, metric, Outcome.Fail))], Noon, Ct);

        await Store.SpanTexts.AddAsync(Home, [Text(span.Content, TextPlace.Output, "tracking", 0, "assistant")], Noon, Ct);
        await FanOutAsync();
        var second = Assert.Single(await ClaimAsync());
        await Store.Jobs.EndAsync([new JobEnd.Done(second, Verdict(span, metric, Outcome.Pass, at: Noon.AddSeconds(1)))], Noon, Ct);

        Assert.Equal(Outcome.Pass, Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct)).Finding.Outcome);
        await AssertCountsAsync(metric);
    }

    [Fact]
    public async Task Work_that_read_the_span_before_its_text_came_is_refused()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync(Mute());
        await FanOutAsync();
        var early = Assert.Single(await ClaimAsync());

        await Store.SpanTexts.AddAsync(Home, [Text(span.Content, TextPlace.Output, "tracking", 0, "assistant")], Noon, Ct);
        await FanOutAsync();

        Assert.Equal([false], await Store.Jobs.EndAsync([new JobEnd.Done(early, Verdict(span, metric, Outcome.Fail))], Noon, Ct));
        var again = Assert.Single(await ClaimAsync());
        Assert.Equal([true], await Store.Jobs.EndAsync([new JobEnd.Done(again, Verdict(span, metric))], Noon, Ct));
    }

    [Fact]
    public async Task Texts_are_forgotten_in_time_and_with_their_span()
    {
        var (gone, kept) = (Mute(), Mute());
        await SpanAsync(gone);
        await Store.SpanTexts.AddAsync(Home, [Text(gone, TextPlace.Input, "a")], Noon, Ct);
        await Store.SpanTexts.AddAsync(Home, [Text(kept, TextPlace.Input, "b")], Noon.AddHours(1), Ct);

        await SqlAsync("DELETE FROM span");
        Assert.Equal(1, await CountAsync("span_text"));
        Assert.Equal(0, await Store.SpanTexts.ForgetAsync(Noon.AddHours(1), Ct));
        Assert.Equal(1, await Store.SpanTexts.ForgetAsync(Noon.AddHours(2), Ct));
    }

    [Fact]
    public async Task Spans_and_texts_that_cross_all_meet()
    {
        var spans = Enumerable.Range(0, 60).Select(_ => Mute()).ToArray();
        using var stop = new CancellationTokenSource();
        var work = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await FanOutAsync(7);
        }, Ct);
        await Task.WhenAll(spans.Select(async (span, i) =>
        {
            var text = () => Store.SpanTexts.AddAsync(Home, [Text(span, TextPlace.Input, "t" + i)], Noon, Ct);
            var add = () => (Task)Store.AddRawSpansAsync(Home, [span], Noon, Ct);
            await Task.WhenAll(i % 2 == 0 ? [text(), add()] : [add(), text()]);
        }));
        await stop.CancelAsync();
        await work;
        while (await FanOutAsync() > 0)
        {
        }

        for (var i = 0; i < spans.Length; i++)
            Assert.Equal("t" + i, (await Store.Spans.FindAsync(Home, spans[i].Key, Ct))!.Content.Input);
    }
}
