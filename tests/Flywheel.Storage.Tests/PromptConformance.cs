using Flywheel.Core.Prompts;

namespace Flywheel.Storage.Tests;

public abstract class PromptConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static PromptVersion Version(string template, string name = "greet", string config = "{}", PromptType type = PromptType.Text) =>
        new(Home, name, 0, type, template, config, null, "ann", Noon);

    [Fact]
    public async Task Versions_are_numbered_kept_and_not_added_twice()
    {
        var first = await Store.Prompts.AddAsync(Version("Hello"), Ct);
        var second = await Store.Prompts.AddAsync(Version("Hello", config: """{"model":"m"}"""), Ct);
        var again = await Store.Prompts.AddAsync(Version("Hello", config: """{"model":"m"}""") with { Author = "bo" }, Ct);
        var back = await Store.Prompts.AddAsync(Version("Hello"), Ct);

        Assert.Equal((1, 2, 2, 3), (first.Number, second.Number, again.Number, back.Number));
        Assert.Equal([back, second, first], await Store.Prompts.VersionsAsync(Home, "greet", Ct));
        Assert.Equal(second, await Store.Prompts.FindAsync(Home, "greet", 2, Ct));
        Assert.Equal(back, await Store.Prompts.FindAsync(Home, "greet", "latest", Ct));
        Assert.Null(await Store.Prompts.FindAsync(Home, "greet", "production", Ct));
        await Assert.ThrowsAsync<ArgumentException>(
            () => Store.Prompts.AddAsync(Version("""[{"role":"system","content":"x"}]""", type: PromptType.Chat), Ct));
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => SqlAsync("UPDATE prompt_version SET template = 'changed'"));
        Assert.Empty(await Store.Prompts.VersionsAsync((await Store.Projects.EnsureAsync("other", Noon, Ct)).Id, "greet", Ct));
    }

    [Fact]
    public async Task Versions_added_at_once_get_different_numbers()
    {
        var added = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Store.Prompts.AddAsync(Version("text " + i), Ct)));

        Assert.Equal(Enumerable.Range(1, 8), added.Select(version => version.Number).Order());
    }

    [Fact]
    public async Task A_label_moves_at_once_unless_the_project_protects_it()
    {
        await Store.Prompts.AddAsync(Version("one"), Ct);
        await Store.Prompts.AddAsync(Version("two"), Ct);

        Assert.Null(await Store.Prompts.MoveAsync(Home, "greet", "production", 1, null, "ann", Noon, Ct));
        Assert.Equal("one", (await Store.Prompts.FindAsync(Home, "greet", "production", Ct))!.Template);
        Assert.Empty(await Store.Prompts.ProtectedAsync(Home, Ct));
        await Store.Prompts.ProtectAsync(Home, ["production"], "ann", Noon, Ct);
        var proposal = await Store.Prompts.MoveAsync(Home, "greet", "production", 2, "better", "bo", Noon, Ct);
        var repeated = await Store.Prompts.MoveAsync(Home, "greet", "production", 2, "better", "bo", Noon, Ct);

        Assert.Equal(["production"], await Store.Prompts.ProtectedAsync(Home, Ct));
        Assert.Equal(("production", 2, 1, ProposalState.Proposed), (proposal!.Label, proposal.Number, proposal.From, proposal.State));
        Assert.Equal(proposal, repeated);
        Assert.Equal("one", (await Store.Prompts.FindAsync(Home, "greet", "production", Ct))!.Template);
        Assert.Null(await Store.Prompts.MoveAsync(Home, "greet", "staging", 2, null, "bo", Noon, Ct));
        await Assert.ThrowsAsync<KeyNotFoundException>(() => Store.Prompts.MoveAsync(Home, "greet", "staging", 9, null, "bo", Noon, Ct));
    }

    [Fact]
    public async Task A_person_decides_once_and_never_about_what_has_changed()
    {
        await Store.Prompts.AddAsync(Version("one"), Ct);
        await Store.Prompts.AddAsync(Version("two"), Ct);
        await Store.Prompts.AddAsync(Version("three"), Ct);
        await Store.Prompts.ProtectAsync(Home, ["production"], "ann", Noon, Ct);
        var two = (await Store.Prompts.MoveAsync(Home, "greet", "production", 2, null, "bo", Noon, Ct))!;
        var three = (await Store.Prompts.MoveAsync(Home, "greet", "production", 3, null, "bo", Noon, Ct))!;

        Assert.Equal(PromptDecision.Done, await Store.Prompts.DecideAsync(Home, two.Id, true, "cy", Noon.AddHours(1), Ct));
        Assert.Equal("two", (await Store.Prompts.FindAsync(Home, "greet", "production", Ct))!.Template);
        Assert.Equal(PromptDecision.Already, await Store.Prompts.DecideAsync(Home, two.Id, false, "cy", Noon, Ct));
        Assert.Equal(PromptDecision.Stale, await Store.Prompts.DecideAsync(Home, three.Id, true, "cy", Noon, Ct));
        Assert.Equal(PromptDecision.Done, await Store.Prompts.DecideAsync(Home, three.Id, false, "cy", Noon, Ct));
        Assert.Equal(PromptDecision.Unknown, await Store.Prompts.DecideAsync(Home, 999, true, "cy", Noon, Ct));
        Assert.Equal("two", (await Store.Prompts.FindAsync(Home, "greet", "production", Ct))!.Template);
        Assert.Equal(
            [(three.Id, ProposalState.Rejected, "cy"), (two.Id, ProposalState.Approved, "cy")],
            (await Store.Prompts.ProposalsAsync(Home, null, 10, Ct)).Select(each => (each.Id, each.State, each.DecidedBy!)));
        Assert.Empty(await Store.Prompts.ProposalsAsync(Home, ProposalState.Proposed, 10, Ct));
        Assert.Equal(
            ["prompt.reject", "prompt.label", "prompt.approve", "prompt.propose", "prompt.propose", "prompt.protect", "prompt.add",
                "prompt.add", "prompt.add"],
            (await Store.Audit.ListAsync(Home, 20, Ct)).Select(entry => entry.Action));
        Assert.Null(await Store.Audit.VerifyAsync(Home, Ct));
    }

    [Fact]
    public async Task Spans_are_counted_by_the_version_that_they_ran()
    {
        await SpanAsync(NewSpan(at: Noon) with { Attributes = """{"flywheel.prompt.name":"greet","flywheel.prompt.version":2}""" });
        var langfuse = await SpanAsync(
            NewSpan(at: Noon.AddHours(1))
            with { Attributes = """{"langfuse.observation.prompt.name":"greet","langfuse.observation.prompt.version":"2"}""" });
        await SpanAsync(NewSpan() with { Attributes = """{"flywheel.prompt.name":"greet","flywheel.prompt.version":1}""" });
        await SpanAsync(NewSpan() with { Attributes = """{"flywheel.prompt.name":"other","flywheel.prompt.version":1}""" });
        await SpanAsync(NewSpan() with { Attributes = """{"nested":{"flywheel.prompt.name":"greet","flywheel.prompt.version":1}}""" });
        await SpanAsync(NewSpan() with { Attributes = """{"flywheel.prompt.name":"greet"}""" });
        await Store.AddRawSpansAsync(
            Home, [.. Enumerable.Range(0, 120)
                .Select(_ => NewSpan(at: Noon) with { Attributes = """{"flywheel.prompt.name":"many","flywheel.prompt.version":7}""" })],
                    Noon, Ct);

        Assert.Equal([new(2, 2, Noon, Noon.AddHours(1)), new PromptUse(1, 1, Noon, Noon)],
            await Store.Prompts.UsesAsync(Home, "greet", Ct));
        Assert.Equal(120, Assert.Single(await Store.Prompts.UsesAsync(Home, "many", Ct)).Spans);
        Assert.Equal(langfuse.Key, (await Store.Prompts.SpansAsync(Home, "greet", 2, 10, Ct))[0]);
        Assert.Empty(await Store.Prompts.UsesAsync((await Store.Projects.EnsureAsync("other", Noon, Ct)).Id, "greet", Ct));
    }
}
