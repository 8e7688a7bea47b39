using System.Collections.Frozen;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Sandboxing;
using Flywheel.Core.Traces;
using Flywheel.Validators.Sandboxing;

namespace Flywheel.Validators.Code;

/// <summary>Passes when the text parses as JavaScript and every test on it holds. Score: the share of tests that hold.</summary>
sealed class CodeJavaScriptKind(Sandbox? sandbox) : ValidatorKind("code.javascript", 1,
    "The text parses as JavaScript, and tests on it hold in the sandbox.",
    new("tests", "list of text",
        "Tests, run in order after the script: an expression that must not be false, or statements that must not throw; "
            + "`assert(condition)` and `assertEqual(found, wanted)` are there.", "parse only"),
    new("tests_from", "text", "Path in the attributes of the tests, a text or a list; they follow those of `tests`.", "none"),
    new("module", "true or false", "It is a module (import, export); modules are parsed, not run.", "false"),
    new("timeout_ms", "integer", "Milliseconds for script and tests, 10 to 5000.", "1000"),
    new("allow_fence", "true or false", "Accept code in one Markdown code block.", "false"))
{
    static readonly FrozenSet<NodeKind> Nodes = new[] { NodeKind.Codegen, NodeKind.Tool, NodeKind.Other }.ToFrozenSet();

    public override IReadOnlySet<NodeKind> NodeKinds => Nodes;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        if (sandbox is null)
            throw read.Wrong("tests", "cannot run: no sandbox is at hand here.");
        var tests = read.Texts("tests");
        var from = read.Text("tests_from");
        var module = read.Flag("module", false);
        if (module && (tests.Count > 0 || from is not null))
            throw read.Wrong("module", "is true, but modules are parsed and not run, so tests cannot be: remove one of the two.");
        return new Validator(
            version, context.Subject, sandbox, tests, from, module, read.Integer("timeout_ms", 10, 5_000) ?? 1_000,
            read.Flag("allow_fence", false));
    }

    sealed class Validator(
        string version, MetricSubject subject, Sandbox sandbox, IReadOnlyList<string> tests, string? from, bool module, int milliseconds,
        bool allowFence) : IValidator
    {
        public string Version => version;

        public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            if (examinee.Text is not { } text)
                return TextValidator.NothingToCheck(subject, examinee);
            List<string> all = [.. tests];
            if (from is not null)
            {
                if (Given(AttributeText.ElementAt(examinee.Span?.Content.Attributes, from)) is not { Count: > 0 } given)
                    return Finding.Skipped($"no tests: the span's attributes have no text or list of texts `{from}`");
                all.AddRange(given);
            }
            var code = allowFence ? CodeFence.Inside(text, "js", "javascript", "mjs", "jsx") ?? text : text;
            var answer = await sandbox.AskAsync(
                sandbox.Language(SandboxEngine.JavaScript), new ScriptTask(code, all, module, milliseconds),
                SandboxJson.Default.ScriptTask, SandboxJson.Default.ScriptResult, milliseconds, ct);
            return answer.Result switch
            {
                null => Finding.Fail($"stopped: it {answer.Ended}"),
                { Refused: { } refused } => Finding.Fail($"does not parse: {refused}"),
                { Overdue: true, Failed: var late } => Finding.Fail($"stopped: it {late}"),
                { Failed: { } failed } => Finding.Fail($"fails when it runs: {failed}", 0),
                { Failures: { Count: > 0 } failures } => Finding.Fail(
                    $"{failures.Count} of {all.Count} tests fail: "
                        + string.Join("; ", failures.Take(3).Select(each => $"{Quote.Short(all[each.Index])} {each.Reason}")),
                    1 - (double)failures.Count / all.Count),
                _ => Finding.Pass(all.Count == 0 ? null : 1),
            };
        }

        static List<string>? Given(JsonElement? value) => value switch
        {
            { ValueKind: JsonValueKind.String } one => [one.GetString()!],
            { ValueKind: JsonValueKind.Array } many when many.EnumerateArray().All(each => each.ValueKind == JsonValueKind.String) =>
                [.. many.EnumerateArray().Select(each => each.GetString()!)],
            _ => null,
        };
    }
}
