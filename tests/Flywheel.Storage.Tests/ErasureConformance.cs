using System.Text;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class ErasureConformance(ITestDatabases databases) : StoreConformance(databases)
{
    const string Secret = "quartzzebra";

    NewSpan Of(string? user, string trace, string? session = null, string? text = null) => NewSpan(trace) with
    {
        EndUser = user, Session = session, Input = text ?? $"where is {Secret}?", Output = text ?? $"{Secret} is here",
        Attributes = text is null ? $$"""{"gen_ai.input.messages":"{{Secret}}"}""" : null,
    };

    /// <summary>Rows of any table that hold the user's words or name.</summary>
    async Task<IReadOnlyList<string>> TracesLeftAsync()
    {
        await using var connection = await OpenedAsync(Databases.Connect(Url));
        var sqlite = Url.StartsWith("sqlite:", StringComparison.Ordinal);
        var tables = new List<string>();
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = sqlite
                ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                : "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'";
            await using var reader = await command.ExecuteReaderAsync(Ct);
            while (await reader.ReadAsync(Ct))
                tables.Add(reader.GetString(0));
        }
        Assert.Contains("judge_reply", tables);
        var left = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var table in tables)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"SELECT * FROM \"{table}\"";
            await using var reader = await command.ExecuteReaderAsync(Ct);
            while (await reader.ReadAsync(Ct))
                for (var i = 0; i < reader.FieldCount; i++)
                    if (!reader.IsDBNull(i) && reader.GetValue(i) is string text
                        && (text.Contains(Secret, StringComparison.Ordinal) || text.Contains("eve@", StringComparison.Ordinal)))
                        left.Add(table);
        }
        return [.. left];
    }

    [Fact]
    public async Task Nothing_of_an_end_user_stays_and_nothing_of_others_goes()
    {
        var metric = await MetricAsync();
        var own = await SpanAsync(Of("eve@x", "t1", "chat"));
        await SpanAsync(Of(null, "t1"));
        await SpanAsync(Of(null, "t2", "chat"));
        var other = await SpanAsync(Of("bob", "t1", text: "fine"));
        var reader = await SpanAsync(Of("bob", "t3", text: "fine") with { Demonstrations = [] });
        await JudgeAsync(Verdict(own, metric, Outcome.Fail) with { Finding = new(Outcome.Fail, 0, $"it says {Secret}", 0.5) });
        await JudgeAsync(Verdict(other, metric));
        var label = Label(own, metric, passed: false) with { Critique = $"no {Secret}" };
        await Store.Labels.AddAsync(label, Ct);
        var correction = Correction(own, $"no {Secret}");
        await Store.Corrections.AddAsync(correction, Ct);
        await Store.Demonstrations.ApproveAsync(Home, [correction.Id], "ann", Noon, Ct);
        await Store.Demonstrations.PutVectorsAsync([(Home, correction.Id, new("f", 1, [1, 2, 3]))], Noon, Ct);
        var shown = await SpanAsync(Of("bob", "t4", text: "fine") with
        {
            Demonstrations = [correction.Id],
            Attributes = $$"""{"gen_ai.input.messages":[{"role":"user","parts":[{"type":"text","content":"Message: where is {{Secret}}?"}]},{"role":"assistant","parts":[{"type":"text","content":"no {{Secret}}"}]},{"role":"user","parts":[{"type":"text","content":"fine"}]}],"k":1}""",
        });
        await Store.Guidelines.AddAsync(
            [new(Guid.CreateVersion7(), Home, metric.Id, $"Never {Secret}", [label.Id], GuidelineState.Proposed, "ann", Noon)], Ct);
        await Store.JudgeCalls.SettleAsync(
            new(Home, metric.Name, 0, Noon), 0, new(new string('a', 64), own.Id, Outcome.Fail, $"because {Secret}", 0.5, "m"), Noon, Ct);
        await Store.SpanTexts.AddAsync(
            Home,
            [
                new(own.Key, TextPlace.Input, Noon, 0, $$"""[{"role":"user","parts":["{{Secret}}"]}]""", Secret, true),
                new(new("t1", "not-yet"), TextPlace.Input, Noon, 0, $$"""[{"role":"user","parts":["{{Secret}}"]}]""", Secret, true),
            ],
            Noon, Ct);
        await Store.Feedback.AddAsync(new(Guid.CreateVersion7(), Home, "t9", null, "comment", $"\"{Secret}\"", Secret, "eve@x", Noon), Ct);
        await Store.Feedback.AddAsync(new(Guid.CreateVersion7(), Home, "t1", null, "comment", $"\"{Secret}\"", null, null, Noon), Ct);
        await Store.Feedback.AddAsync(new(Guid.CreateVersion7(), Home, "t1", null, "comment", "\"fine\"", null, "bob", Noon), Ct);
        var elsewhere = await Store.Projects.EnsureAsync("other", Noon, Ct);
        await SpanAsync(Of("eve@x", "t1", text: "another project's") with { EndUser = "eve" }, elsewhere.Id);
        Assert.Equal(
            ["correction", "demonstration", "feedback", "guideline", "judge_reply", "label", "span", "span_text", "verdict"],
            await TracesLeftAsync());

        var erased = await Store.Erasures.EraseAsync(Home, "eve@x", "ann", Noon, Ct);
        var again = await Store.Erasures.EraseAsync(Home, "eve@x", "ann", Noon, Ct);

        Assert.Equal([], await TracesLeftAsync());
        // The correction's demonstration and the label's.
        Assert.Equal(new(Spans: 3, Demonstrations: 2, Scrubbed: 1, Feedback: 2, Guidelines: 1, Texts: 1, References: 0, DatasetItems: 0),
            erased);
        Assert.Equal(new(0, 0, 0, 0, 0, 0, 0, 0), again);
        Assert.NotNull(await Store.Spans.FindAsync(Home, other.Key, Ct));
        Assert.Equal(reader, (await Store.Spans.FindAsync(Home, reader.Key, Ct))! with { Content = reader.Content });
        var prompt = (await Store.Spans.FindAsync(Home, shown.Key, Ct))!.Content.Attributes!;
        Assert.Equal(
            """{"gen_ai.input.messages":[{"role":"user","parts":[{"type":"text","content":"[erased]"}]},{"role":"assistant","parts":[{"type":"text","content":"[erased]"}]},{"role":"user","parts":[{"type":"text","content":"fine"}]}],"k":1}""",
            prompt);
        Assert.Single(await Store.Feedback.ListAsync(Home, new(), Ct));
        Assert.Equal(1, await Store.Spans.CountAsync(elsewhere.Id, Ct));
        Assert.Empty((await Store.Demonstrations.ListAsync(Home, new(DemonstrationPurpose.Task), Ct)).Items);
        Assert.Equal(0, await CountAsync("embedding"));
        await AssertCountsAsync(metric);
        var audit = (await Store.Audit.ListAsync(Home, 2, Ct))[1];
        Assert.Equal(("end_user.erase", "ann"), (audit.Action, audit.Actor));
        Assert.StartsWith("sha256:", audit.Subject);
        Assert.Contains("\"spans\":3", audit.Details);
        Assert.Null(await Store.Audit.VerifyAsync(Home, Ct));
    }

    /// <summary>For databases whose file the product compacts; PostgreSQL frees pages by itself, in its own time.</summary>
    protected async Task SearchFileAsync()
    {
        await Store.AddRawSpansAsync(
            Home, [.. Enumerable.Range(0, 200).Select(i => Of("eve@x", "t" + i, text: $"{Secret} {new string('x', 500)} {i}"))], Noon, Ct);
        await SpanAsync(Of("bob", "b", text: "bob's words"));
        // Rows that were there before leave their bytes in free pages, which only compacting clears.
        await SqlAsync("DELETE FROM span WHERE trace_id < 't150' AND end_user = 'eve@x'");
        Assert.True(Holds(Secret) && Holds("bob's words"));

        await Store.Erasures.EraseAsync(Home, "eve@x", "ann", Noon, Ct);
        var compacted = await Store.Erasures.CompactAsync(Ct);

        Assert.True(compacted);
        Assert.False(Holds(Secret));
        Assert.False(Holds("eve@x"));
        Assert.True(Holds("bob's words"));
        Assert.Equal(1, await Store.Spans.CountAsync(Home, Ct));
        Assert.Null(await Store.FindDamageAsync(Ct));
        await SpanAsync(Of("bob", "after", text: "still writable"));
    }

    /// <summary>In the file itself, its log and whatever stands beside it.</summary>
    bool Holds(string words)
    {
        var path = Url["sqlite:".Length..];
        var files = Directory.GetFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + "*");
        Assert.NotEmpty(files);
        return files.Any(file =>
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.GetBuffer().AsSpan(0, (int)copy.Length).IndexOf(Encoding.UTF8.GetBytes(words)) >= 0;
        });
    }
}
