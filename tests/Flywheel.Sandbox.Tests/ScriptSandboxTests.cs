using Flywheel.Core.Metrics;
using Jint;
using Interpreter = Jint.Engine;

namespace Flywheel.SandboxTests;

public sealed class ScriptSandboxTests : IDisposable
{
    private readonly string _secret = Path.GetTempFileName();

    public ScriptSandboxTests()
    {
        File.WriteAllText(_secret, "canary");
        Environment.SetEnvironmentVariable("FLYWHEEL_CANARY", "canary");
    }

    [Fact, Trait("runs", "alone")]
    public async Task A_hundred_scripts_neither_get_out_nor_stay()
    {
        await using var check = new CodeCheck();
        var validator = check.Make(
            "code.javascript", """{"tests": ["assert(typeof leak !== 'string' || !leak.length, 'leaked ' + globalThis.leak)"], "timeout_ms": 400}""");
        Assert.Equal(Outcome.Fail, (await CodeCheck.AskAsync(validator, "globalThis.leak = 'seen'")).Outcome);
        var scripts = ScriptAttacks.All(_secret).ToArray();
        Assert.True(scripts.Distinct().Count() >= 100, $"{scripts.Distinct().Count()} scripts");
        // The first child of each pair is cold, as none is in a running server.
        await CodeCheck.AskAllAsync(validator, ["1", "2", "3", "4"]);

        var answers = await CodeCheck.AskAllAsync(validator, scripts);

        foreach (var (script, finding, took) in answers)
        {
            Assert.True(took < TimeSpan.FromSeconds(2), $"{script} took {took}: {finding}");
            Assert.False(finding.Reason?.Contains("leaked", StringComparison.Ordinal) == true
                || finding.Reason?.Contains("canary", StringComparison.Ordinal) == true, $"{script}: {finding}");
            Assert.True(finding.Outcome is Outcome.Pass or Outcome.Fail, $"{script}: {finding}");
        }
        Assert.True(answers.Count(answer => answer.Finding.Outcome == Outcome.Fail) >= 25);
        Assert.Equal(Outcome.Pass, (await CodeCheck.AskAsync(validator, "1 + 1")).Outcome);
    }

    [Fact]
    public void An_interpreter_that_may_reach_the_platform_leaks_to_the_same_scripts()
    {
        var leaks = 0;
        foreach (var script in ScriptAttacks.All(_secret).Take(ScriptAttacks.WaysOut.Count()))
        {
            using var open = new Interpreter(
                options => options.AllowClr(typeof(File).Assembly, typeof(Environment).Assembly).Interop.AllowGetType = true);
            try
            {
                open.Execute(script);
                leaks += open.GetValue("leak").ToString().Contains("canary", StringComparison.Ordinal) ? 1 : 0;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // This script needs another host.
            }
        }
        Assert.True(leaks >= 4, $"only {leaks} leaks");
    }

    [Fact]
    public async Task An_interpreter_without_limits_does_not_end()
    {
        using var stop = new CancellationTokenSource();
        using var open = new Interpreter(options => options.CancellationToken(stop.Token));

        var running = Task.Run(() => open.Execute(ScriptAttacks.Endless.First()), TestContext.Current.CancellationToken);
        var first = await Task.WhenAny(running, Task.Delay(2_000, TestContext.Current.CancellationToken));
        await stop.CancelAsync();

        Assert.NotSame(running, first);
        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Theory]
    [InlineData("function add(a, b) { return a + b }", Outcome.Pass, 1.0)]
    [InlineData("function add(a, b) { return a + b + (a > 5) }", Outcome.Fail, 0.5)]
    [InlineData("function add(a, b { return a + b }", Outcome.Fail, null)]
    public async Task Tests_decide_and_the_score_is_their_share(string script, Outcome outcome, double? score)
    {
        await using var check = new CodeCheck();
        var validator = check.Make("code.javascript", """{"tests": ["add(1, 2) === 3", "assertEqual(add(6, 2), 8)"]}""");

        var finding = await CodeCheck.AskAsync(validator, script);

        Assert.Equal((outcome, score), (finding.Outcome, finding.Score));
    }

    [Fact]
    public async Task CSharp_is_compiled_and_never_run()
    {
        await using var check = new CodeCheck();
        var errors = check.Make("code.csharp", """{"timeout_ms": 8000}""");
        var warnings = check.Make("code.csharp", """{"fail_on": "warning", "ignore": "CS0219", "form": "members", "timeout_ms": 8000}""");
        var deep = "class A { int F() => " + string.Concat(Enumerable.Repeat("(", 20_000)) + "1"
            + string.Concat(Enumerable.Repeat(")", 20_000)) + "; }";

        Assert.Equal(Outcome.Pass, (await CodeCheck.AskAsync(errors, "Console.WriteLine(Enumerable.Range(0, 3).Sum());")).Outcome);
        Assert.Contains("CS0103", (await CodeCheck.AskAsync(errors, "class A { int F() => y; }")).Reason, StringComparison.Ordinal);
        Assert.Contains("CS8603", (await CodeCheck.AskAsync(warnings, "string F() => null;")).Reason, StringComparison.Ordinal);
        Assert.Equal(Outcome.Pass, (await CodeCheck.AskAsync(warnings, "void F() { int x = 1; }")).Outcome);
        Assert.Equal(Outcome.Fail, (await CodeCheck.AskAsync(errors, deep)).Outcome);
        Assert.Equal(Outcome.Pass, (await CodeCheck.AskAsync(errors, $"System.IO.File.Delete(\"{_secret}\");")).Outcome);
        Assert.True(File.Exists(_secret));
    }

    public void Dispose() => File.Delete(_secret);
}
