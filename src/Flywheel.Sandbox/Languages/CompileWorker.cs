using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using Flywheel.Core.Sandboxing;
using Flywheel.SandboxChild.Workers;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Flywheel.SandboxChild.Languages;

/// <summary>
/// Compiles C# against the platform's assemblies and tells what the compiler and the operator's analyzers say. Nothing is emitted, nothing
/// runs.
/// </summary>
sealed class CompileWorker : IWorker
{
    const int MaxDiagnostics = 100;

    static readonly SyntaxTree Usings = CSharpSyntaxTree.ParseText(
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using "
            + "System.Net.Http; global using System.Threading; global using System.Threading.Tasks;");

    readonly MetadataReference[] _references;
    readonly ImmutableArray<DiagnosticAnalyzer> _analyzers;

    public SandboxReady Ready { get; }

    CompileWorker(MetadataReference[] references, ImmutableArray<DiagnosticAnalyzer> analyzers)
    {
        (_references, _analyzers) = (references, analyzers);
        Ready = new(null, ["compiled only: nothing is emitted or run", $"{analyzers.Length} analyzers"], []);
    }

    public static CompileWorker Open(SandboxOpening opening)
    {
        var platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => path.StartsWith(RuntimeEnvironment.GetRuntimeDirectory(), StringComparison.Ordinal));
        var worker = new CompileWorker(
            [.. platform.Select(path => MetadataReference.CreateFromImage(File.ReadAllBytes(path)))],
            [.. (opening.Database ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).SelectMany(Analyzers)]);
        foreach (var source in new[] { "class A { string? F() => null; async System.Threading.Tasks.Task G() { } }",
            "var x = 1 +; Console.WriteLine(y.Select(z => z));" })
            JsonSerializer.SerializeToUtf8Bytes(worker.Compile(new(source, true, 30_000)), SandboxJson.Default.CompileResult);
        return worker;
    }

    static IEnumerable<DiagnosticAnalyzer> Analyzers(string path)
    {
        Assembly assembly;
        try
        {
            assembly = Assembly.LoadFrom(path);
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            throw new OpeningException($"the analyzers {path} cannot be loaded: {e.Message}. Check `Sandbox:Analyzers` in the settings.");
        }
        return assembly.GetTypes()
            .Where(type => !type.IsAbstract && type.GetCustomAttribute<DiagnosticAnalyzerAttribute>() is { } mark
            && mark.Languages.Contains(LanguageNames.CSharp))
            .Select(type => (DiagnosticAnalyzer)Activator.CreateInstance(type)!);
    }

    public byte[] Answer(byte[] task, SelfWatch watch)
    {
        var code = JsonSerializer.Deserialize(task, SandboxJson.Default.CompileTask)!;
        watch.Arm(code.Milliseconds + 3_000);
        var result = Compile(code);
        watch.Disarm();
        return JsonSerializer.SerializeToUtf8Bytes(result, SandboxJson.Default.CompileResult);
    }

    CompileResult Compile(CompileTask task)
    {
        using var deadline = new CancellationTokenSource(task.Milliseconds);
        try
        {
            var tree = CSharpSyntaxTree.ParseText(
                task.Source, new CSharpParseOptions(LanguageVersion.Latest), cancellationToken: deadline.Token);
            var isProgram = tree.GetCompilationUnitRoot(deadline.Token).Members.Any(member => member is GlobalStatementSyntax);
            var compilation = CSharpCompilation.Create(
                "Checked", [Usings, tree], _references,
                new CSharpCompilationOptions(
                    isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, concurrentBuild: false,
                    nullableContextOptions: task.Nullable ? NullableContextOptions.Enable : NullableContextOptions.Disable));
            IEnumerable<Diagnostic> diagnostics = compilation.GetDiagnostics(deadline.Token);
            if (!_analyzers.IsEmpty)
                diagnostics = diagnostics.Concat(
                    compilation.WithAnalyzers(_analyzers).GetAnalyzerDiagnosticsAsync(deadline.Token).GetAwaiter().GetResult());
            return new([.. diagnostics.Where(each => !each.IsSuppressed && each.Location.SourceTree != Usings)
                .OrderByDescending(each => each.Severity)
                .ThenBy(each => each.Location.SourceSpan.Start).Take(MaxDiagnostics).Select(each => new CodeDiagnostic(
                    each.Id, (int)each.Severity, each.Location.GetLineSpan().StartLinePosition.Line + 1,
                    each.GetMessage(System.Globalization.CultureInfo.InvariantCulture)))]);
        }
        catch (OperationCanceledException)
        {
            return new([], Overdue: true);
        }
        catch (InsufficientExecutionStackException)
        {
            return new([new("CS8078", (int)DiagnosticSeverity.Error, 1, "it is nested too deeply to compile")]);
        }
    }

    public void Dispose()
    {
    }
}
