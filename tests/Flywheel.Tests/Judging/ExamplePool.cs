using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Judging;

namespace Flywheel.Tests.Judging;

/// <summary>A pool that gives its examples in order, and whose version a test may change.</summary>
sealed class ExamplePool(string version, params JudgeExample[] examples) : IJudgeExamples
{
    public string Version { get; set; } = version;

    public Action OnFind { get; set; } = () => { };

    public IReadOnlyList<JudgeExample> Examples => examples;

    public string PoolVersion(ProjectId project, string metric) => Version;

    public Task<JudgeExamples> FindAsync(ProjectId project, string metric, string text, int k, SpanId? except, CancellationToken ct)
    {
        OnFind();
        return Task.FromResult(new JudgeExamples(Version, [.. examples.Take(k)]));
    }
}
