using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Validators.Code;
using Flywheel.Validators.Sandboxing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Flywheel.SandboxTests;

/// <summary>The setting <c>Sandbox:Analyzers</c>, with an analyzer compiled here.</summary>
public sealed class AnalyzerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flywheel-analyzers-").FullName;

    [Fact]
    public async Task An_analyzer_of_the_operator_decides_and_without_it_the_code_passes()
    {
        var rules = Compile();
        await using var plain = new Sandbox();
        await using var strict = new Sandbox(new SandboxOptions { Analyzers = [rules] });

        Assert.Equal(Outcome.Pass, (await AskAsync(plain, "class badName { }")).Outcome);
        Assert.Equal(Outcome.Pass, (await AskAsync(strict, "class GoodName { }")).Outcome);
        var finding = await AskAsync(strict, "class badName { }");
        Assert.Equal(Outcome.Fail, finding.Outcome);
        Assert.Contains("ACME1", finding.Reason, StringComparison.Ordinal);
        Assert.Equal(Outcome.Pass, (await AskAsync(strict, "class badName { }", """{"fail_on":"warning","ignore":"ACME1"}""")).Outcome);
    }

    [Fact]
    public async Task An_analyzer_that_cannot_be_loaded_is_named_with_the_setting()
    {
        var path = Path.Combine(_folder, "broken.dll");
        await File.WriteAllTextAsync(path, "no assembly", TestContext.Current.CancellationToken);
        await using var sandbox = new Sandbox(new SandboxOptions { Analyzers = [path] });

        var error = await Assert.ThrowsAsync<SandboxException>(async () => await AskAsync(sandbox, "class A { }"));

        Assert.Contains("broken.dll", error.Message, StringComparison.Ordinal);
        Assert.Contains("Sandbox:Analyzers", error.Message, StringComparison.Ordinal);
    }

    static async Task<Finding> AskAsync(Sandbox sandbox, string code, string settings = """{"fail_on":"warning"}""") =>
        await CodeCheck.AskAsync(
        new ValidatorRegistry(CodeKinds.All(sandbox, new CodeDatabases(new Dictionary<string, string>(), allowsFiles: true, null)))
            .Create(new("code.csharp", JsonSerializer.Deserialize<JsonElement>(settings)),
                new ValidatorContext("m", "?", MetricSubject.Output)),
        code);

    /// <summary>An analyzer that warns of classes in lower case.</summary>
    string Compile()
    {
        const string Source = """
            using System.Collections.Immutable;
            using Microsoft.CodeAnalysis;
            using Microsoft.CodeAnalysis.Diagnostics;
            [DiagnosticAnalyzer(LanguageNames.CSharp)]
            public sealed class Names : DiagnosticAnalyzer
            {
                static readonly DiagnosticDescriptor Rule = new("ACME1", "Names", "Class {0} begins in lower case", "Naming", DiagnosticSeverity.Warning, true);
                public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => ImmutableArray.Create(Rule);
                public override void Initialize(AnalysisContext context)
                {
                    context.EnableConcurrentExecution();
                    context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
                    context.RegisterSymbolAction(found =>
                    {
                        if (char.IsLower(found.Symbol.Name[0]))
                            found.ReportDiagnostic(Diagnostic.Create(Rule, found.Symbol.Locations[0], found.Symbol.Name));
                    }, SymbolKind.NamedType);
                }
            }
            """;
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(each => MetadataReference.CreateFromFile(each));
        var path = Path.Combine(_folder, "rules.dll");
        var result = CSharpCompilation.Create(
            "rules", [CSharpSyntaxTree.ParseText(Source)], references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary))
                .Emit(path);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return path;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
