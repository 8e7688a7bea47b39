using Flywheel.Core.Prompts;

namespace Flywheel.Engine.Evaluation;

/// <summary>A prompt for a run.</summary>
/// <param name="Template">Null sends the input as it is.</param>
/// <param name="Config">JSON object of parameters; <c>{}</c> for none.</param>
/// <param name="Title">How lists of runs name it; null for no prompt.</param>
public sealed record PromptText(PromptType Type, string? Template, string Config, string? Title)
{
    public static PromptText None { get; } = new(PromptType.Text, null, "{}", null);
}
