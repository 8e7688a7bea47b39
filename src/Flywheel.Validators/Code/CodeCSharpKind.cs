using System.Collections.Frozen;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Sandboxing;
using Flywheel.Core.Traces;
using Flywheel.Validators.Sandboxing;

namespace Flywheel.Validators.Code;

/// <summary>Passes when the text compiles as C#. It is never run. Score: how many diagnostics count against it.</summary>
sealed class CodeCSharpKind(Sandbox? sandbox) : ValidatorKind("code.csharp", 1,
    "The text compiles as C# without complaints of the compiler and the operator's analyzers; it is never run.",
    new("form", "file or members", "`file`: types or top-level statements; `members`: methods and properties without a class around them.",
        "file"),
    new("fail_on", "error, warning or info", "The mildest severity that fails.", "error"),
    new("ignore", "list of text", "Ids that do not count, such as `CS0168`.", "none"),
    new("nullable", "true or false", "Check nullable references.", "true"),
    new("timeout_ms", "integer", "Milliseconds for compiling, 100 to 8000.", "1500"),
    new("allow_fence", "true or false", "Accept code in one Markdown code block.", "false"))
{
    const int MaxShown = 3;
    static readonly FrozenSet<NodeKind> Nodes = new[] { NodeKind.Codegen, NodeKind.Tool, NodeKind.Other }.ToFrozenSet();

    public override IReadOnlySet<NodeKind> NodeKinds => Nodes;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        if (sandbox is null)
            throw read.Wrong("form", "cannot be checked: no sandbox is at hand here.");
        var isMembers = read.Choice("form", "file", "file", "members") == "members";
        var mildest = read.Choice("fail_on", "error", "error", "warning", "info") switch { "error" => 3, "warning" => 2, _ => 1 };
        var ignored = read.Texts("ignore").ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var id in ignored)
            if (!id.All(char.IsAsciiLetterOrDigit) || !char.IsAsciiDigit(id[^1]))
                throw read.Wrong("ignore", $"names {Quote.Short(id)}, which is no diagnostic's id: write such as `CS0168`.");
        return new Validator(version, context.Subject, sandbox, new(
            isMembers, mildest, ignored, read.Flag("nullable", true), read.Integer("timeout_ms", 100, 8_000) ?? 1_500,
            read.Flag("allow_fence", false)));
    }

    sealed record Expectations(bool IsMembers, int Mildest, HashSet<string> Ignored, bool Nullable, int Milliseconds, bool AllowFence);

    sealed class Validator(string version, MetricSubject subject, Sandbox sandbox, Expectations wanted) : IValidator
    {
        public string Version => version;

        public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            if (examinee.Text is not { } text)
                return TextValidator.NothingToCheck(subject, examinee);
            var code = wanted.AllowFence ? CodeFence.Inside(text, "cs", "csharp", "c#") ?? text : text;
            var source = wanted.IsMembers ? $"public partial class Code {{ {code}\n}}" : code;
            var answer = await sandbox.AskAsync(
                sandbox.Language(SandboxEngine.CSharp), new CompileTask(source, wanted.Nullable, wanted.Milliseconds),
                SandboxJson.Default.CompileTask, SandboxJson.Default.CompileResult, wanted.Milliseconds, ct);
            if (answer.Result is not { Overdue: false } result)
                return Finding.Fail($"stopped: it {answer.Ended ?? $"took longer than {wanted.Milliseconds} ms to compile"}");
            var against = result.Diagnostics.Where(each => each.Severity >= wanted.Mildest && !wanted.Ignored.Contains(each.Id)).ToArray();
            return against.Length == 0
                ? Finding.Pass(0)
                : Finding.Fail(string.Join("; ", against.Take(MaxShown).Select(each => $"line {each.Line}: {each.Id} {each.Message}"))
                    + (against.Length > MaxShown ? $"; and {against.Length - MaxShown} more" : ""), against.Length);
        }
    }
}
