using Flywheel.Core.Prompts;

namespace Flywheel.Engine.Prompts;

/// <summary>A version with its placeholders filled.</summary>
public sealed record RenderedVersion(PromptVersion Version, IReadOnlyList<PromptMessage> Messages);
