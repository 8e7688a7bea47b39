using Flywheel.Core.Metrics;
using Flywheel.Engine.Models;

namespace Flywheel.Engine.Embedded;

/// <summary>How the engine runs inside an application; every default works.</summary>
public sealed record EmbeddedOptions
{
    /// <summary>Models of judges, and the embedder; null are the offline ones. They stay the caller's.</summary>
    public ModelRegistry? Models { get; init; }

    /// <summary>False leaves validating, embedding and planning to another process on the same database.</summary>
    public bool Work { get; init; } = true;

    /// <summary>
    /// Kinds of validators beside those of the engine: those of the package Flywheel.Validators, and the application's own.
    /// </summary>
    public IReadOnlyList<IValidatorKind> Validators { get; init; } = [];

    /// <summary>Called for work that failed and will be tried again. Must be quick and must not throw.</summary>
    public Action<string, Exception> OnFault { get; init; } = static (_, _) => { };

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
