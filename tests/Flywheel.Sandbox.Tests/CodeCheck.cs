using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Validators.Code;
using Flywheel.Validators.Sandboxing;
using Flywheel.Storage.Tests;

[assembly: AssemblyFixture(typeof(PostgresCluster))]

namespace Flywheel.SandboxTests;

/// <summary>Validators of code as a metric would make them, with a sandbox of their own.</summary>
internal sealed class CodeCheck(Dictionary<string, string>? named = null, bool allowsFiles = true, string? own = null) : IAsyncDisposable
{
    public Sandbox Sandbox { get; } = new();

    public IValidator Make(string kind, string settings) =>
        new ValidatorRegistry(CodeKinds.All(Sandbox, new CodeDatabases(named ?? [], allowsFiles, own)))
        .Create(new(kind, JsonSerializer.Deserialize<JsonElement>(settings)),
            new ValidatorContext(kind, "Is it right?", MetricSubject.Output));

    public static async Task<Finding> AskAsync(IValidator validator, string text, JsonObject? attributes = null)
    {
        var span = new NewSpan
        {
            Key = new("t", "s"), Node = "sql", Kind = NodeKind.Codegen, Output = text, StartedAt = DateTimeOffset.UnixEpoch,
            Attributes = attributes?.ToJsonString(),
        };
        return await validator.CheckAsync(
            new(text, new Span(default, default, span, span.StartedAt)), TestContext.Current.CancellationToken);
    }

    /// <summary>Asks of each text; two at once, as a server would.</summary>
    /// <returns>By text: what was found, and after how long.</returns>
    public static async Task<List<(string Text, Finding Finding, TimeSpan Took)>> AskAllAsync(
        IValidator validator, IEnumerable<string> texts)
    {
        var answers = new List<(string, Finding, TimeSpan)>();
        await Parallel.ForEachAsync(texts, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (text, _) =>
        {
            var watch = Stopwatch.StartNew();
            var finding = await AskAsync(validator, text);
            lock (answers)
                answers.Add((text, finding, watch.Elapsed));
        });
        // On a busy machine the wait for a fresh child may have been long; what is slow by itself is slow again, alone.
        for (var i = 0; i < answers.Count; i++)
            if (answers[i].Item3 > TimeSpan.FromSeconds(1.5))
            {
                var watch = Stopwatch.StartNew();
                var finding = await AskAsync(validator, answers[i].Item1);
                answers[i] = (answers[i].Item1, finding, watch.Elapsed);
            }
        return answers;
    }

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
}
