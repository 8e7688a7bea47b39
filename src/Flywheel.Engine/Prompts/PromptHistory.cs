using Flywheel.Core.Prompts;

namespace Flywheel.Engine.Prompts;

/// <summary>All versions of a prompt.</summary>
/// <param name="Versions">The newest first.</param>
/// <param name="Uses">Versions that spans ran.</param>
public sealed record PromptHistory(IReadOnlyList<PromptVersion> Versions, IReadOnlyList<PromptLabel> Labels, IReadOnlyList<PromptUse> Uses);
