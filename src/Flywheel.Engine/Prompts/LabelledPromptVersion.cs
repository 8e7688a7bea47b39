using Flywheel.Core.Prompts;

namespace Flywheel.Engine.Prompts;

/// <summary>A version with the prompt labels of its prompt.</summary>
/// <param name="Labels">All prompt labels of the prompt, also those that point at other versions; <c>latest</c> is not among them.</param>
/// <param name="Newest">Number of the newest version.</param>
public sealed record LabelledPromptVersion(PromptVersion Version, IReadOnlyList<PromptLabel> Labels, int Newest);
