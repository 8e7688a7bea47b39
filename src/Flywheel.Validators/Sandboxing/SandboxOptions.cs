namespace Flywheel.Validators.Sandboxing;

/// <summary>How much foreign code may take. The defaults suit checks of single statements and small scripts.</summary>
public sealed record SandboxOptions
{
    /// <summary>Megabytes that a child may take for its work; the compiler's children have twice that.</summary>
    public int MemoryMb { get; init; } = 256;

    /// <summary>Rows of one result.</summary>
    public int MaxRows { get; init; } = 10_000;

    /// <summary>Bytes of one result, roughly.</summary>
    public int MaxBytes { get; init; } = 4_000_000;

    /// <summary>Children at work at once.</summary>
    public int MaxAtWork { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>Children kept waiting for work.</summary>
    public int MaxIdle { get; init; } = 6;

    /// <summary>Assemblies of Roslyn analyzers that the operator trusts, by path, for <c>code.csharp</c>.</summary>
    public IReadOnlyList<string> Analyzers { get; init; } = [];
}
