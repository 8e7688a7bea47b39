using System.Text.Json;
using Acornima;
using Flywheel.Core.Sandboxing;
using Flywheel.SandboxChild.Workers;
using Jint;
using Jint.Runtime;

namespace Flywheel.SandboxChild.Languages;

/// <summary>
/// Parses JavaScript, and runs tests on it in an interpreter that has no way out: no files, no network, no modules, no .NET.
/// </summary>
/// <remarks>
/// The interpreter's own limits (time, memory, recursion, sizes) end most of what runs away. What they miss, such as one huge number or
/// one long replacement, ends with the process. Each task gets an interpreter of its own.
/// </remarks>
sealed class ScriptWorker : IWorker
{
    const string Prelude =
        """
        var module = { exports: {} }, exports = module.exports;
        var console = { log() {}, info() {}, warn() {}, error() {}, debug() {} };
        function assert(condition, message) { if (!condition) throw new Error(message || "assertion failed"); }
        function assertEqual(found, wanted) {
            const show = value => { try { return typeof value === "bigint" ? value + "n" : JSON.stringify(value) ?? String(value); } catch (e) { return String(value); } };
            if (!Object.is(found, wanted) && show(found) !== show(wanted)) throw new Error("found " + show(found) + ", wanted " + show(wanted));
        }
        """;

    readonly SandboxOpening _opening;

    public SandboxReady Ready { get; } = new(null,
        ["interpreter without files, network, modules or .NET", "limits on time, memory, recursion, arrays and patterns",
            "a fresh interpreter for each check"], []);

    ScriptWorker(SandboxOpening opening) => _opening = opening;

    public static ScriptWorker Open(SandboxOpening opening)
    {
        var worker = new ScriptWorker(opening);
        string[] tests =
        [
            "assertEqual([1, 2].map(x => x * 2), [2, 4])", "/a+(b)/u.exec('aab')[1] === 'b'", "10n ** 30n > 1n",
            "new Date(0).toISOString().length === 24",
            "JSON.parse('{\"a\":1.5}').a === 1.5", "'x'.normalize().localeCompare('y') < 0", "new Intl.NumberFormat().format(1)", "null.x",
            "throw 1",
            "new Map([[1, 2]]).get(1) === 2", "function* g() { yield 1 }; [...g()].length === 1", "(function f() { f() })()",
            "new Uint8Array(8).fill(1)[7] === 1",
            "Promise.resolve(1).then(x => x)", "while (true) {}",
        ];
        worker.Run(new("function add(a, b) { return a + b }", tests, false, 150));
        worker.Run(new("function (", [], false, 100));
        worker.Run(new("export const a = 1", [], true, 100));
        return worker;
    }

    public byte[] Answer(byte[] task, SelfWatch watch)
    {
        var script = JsonSerializer.Deserialize(task, SandboxJson.Default.ScriptTask)!;
        watch.Arm(script.Milliseconds + 3_000);
        var result = Run(script);
        watch.Disarm();
        return JsonSerializer.SerializeToUtf8Bytes(result, SandboxJson.Default.ScriptResult);
    }

    ScriptResult Run(ScriptTask task)
    {
        try
        {
            var parser = new Parser(new ParserOptions { EcmaVersion = EcmaVersion.Latest });
            if (task.Module)
                parser.ParseModule(task.Script);
            else
                parser.ParseScript(task.Script);
        }
        catch (ParseErrorException e)
        {
            return new(Refused: e.Message);
        }
        catch (InsufficientExecutionStackException)
        {
            return new(Refused: "it is nested too deeply");
        }
        return task.Tests.Count == 0 || task.Module ? new() : Test(task);
    }

    ScriptResult Test(ScriptTask task)
    {
        using var engine = new Engine(options =>
        {
            options.TimeoutInterval(TimeSpan.FromMilliseconds(task.Milliseconds)).LimitMemory((long)_opening.MemoryMb << 19)
                .LimitRecursion(200)
                .MaxArraySize(2_000_000).RegexTimeoutInterval(TimeSpan.FromMilliseconds(task.Milliseconds)).LocalTimeZone(TimeZoneInfo.Utc);
            options.Interop.Enabled = false;
        });
        engine.Execute(Prelude);
        if (Fault(() => engine.Execute(task.Script), task, out var overdue) is { } failed)
            return new(Failed: failed, Overdue: overdue);
        var failures = new List<TestFailure>();
        for (var i = 0; i < task.Tests.Count; i++)
        {
            var test = task.Tests[i];
            var isFalse = false;
            var fault = Fault(() =>
                isFalse = engine.Evaluate(test) is { } value && value.IsBoolean() && !value.AsBoolean(), task, out overdue);
            if (overdue)
                return new(Failed: $"test {i + 1} {fault}", Overdue: true);
            if (fault is not null || isFalse)
                failures.Add(new(i, fault ?? "is false"));
        }
        return new(Failures: failures);
    }

    static string? Fault(Action run, ScriptTask task, out bool overdue)
    {
        overdue = false;
        try
        {
            run();
            return null;
        }
        catch (JavaScriptException e)
        {
            return Short(e.Message);
        }
        catch (TimeoutException)
        {
            overdue = true;
            return $"took longer than {task.Milliseconds} ms";
        }
        catch (Exception e) when (e is JintException or ParseErrorException or InsufficientExecutionStackException or OutOfMemoryException
            or System.Text.RegularExpressions.RegexMatchTimeoutException or InvalidOperationException or ArgumentException
            or NotSupportedException)
        {
            return Short(e.Message);
        }
    }

    static string Short(string text) => text.Length <= 300 ? text : text[..300] + "…";

    public void Dispose()
    {
    }
}
