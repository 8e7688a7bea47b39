using Flywheel.Core.Prompts;

namespace Flywheel.Engine.Prompts;

/// <summary>Two versions of a prompt.</summary>
public sealed record PromptComparison(PromptVersion Older, PromptVersion Newer)
{
    /// <summary>Unified diff; empty if both have the same text.</summary>
    public string Diff { get; } = UnifiedDiff.Of(
        PromptTemplate.Lines(Older), PromptTemplate.Lines(Newer), $"{Older.Name} version {Older.Number}",
        $"{Newer.Name} version {Newer.Number}");
}
