using Flywheel.Core.Metrics;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Composition;

/// <summary>What differs between the processes that run an engine; every default works.</summary>
public sealed record EngineOptions
{
    /// <summary>Code jobs that run at the same time, 1 to 256.</summary>
    public int CodeConcurrency { get; init; } = Environment.ProcessorCount;

    /// <summary>Judge calls in flight at least, 1 to 1,000; the rate limits of the models may allow more.</summary>
    public int JudgeConcurrency { get; init; } = 8;

    /// <summary>Time after which the jobs of a process that died are taken by another.</summary>
    public TimeSpan Lease { get; init; } = new WorkerOptions().Lease;

    /// <summary>Kinds of validators beside those of the engine. Called once, when the registry is first needed.</summary>
    public Func<IServiceProvider, IEnumerable<IValidatorKind>> Kinds { get; init; } = static _ => [];

    /// <summary>Called for work that failed and will be tried again. Must be quick and must not throw.</summary>
    public Action<IServiceProvider, string, Exception> OnFault { get; init; } = static (_, _, _) => { };
}
