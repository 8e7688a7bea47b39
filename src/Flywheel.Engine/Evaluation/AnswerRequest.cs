namespace Flywheel.Engine.Evaluation;

/// <summary>What should make the outputs of a run; all null if they are in the rows.</summary>
/// <param name="Model">A configured model by its name or its provider's name, or PROVIDER/MODEL; null for the prompt's, else the
/// default.</param>
/// <param name="Prompt">NAME, NAME@NUMBER or NAME@LABEL of the registry.</param>
/// <param name="Text">A prompt that is not in the registry, in place of <paramref name="Prompt"/>.</param>
/// <param name="Demonstrations">Name of the node whose approved demonstrations go into the prompt.</param>
/// <param name="K">Number of demonstrations; null for the node's policy.</param>
public sealed record AnswerRequest(
    string? Model = null, string? Prompt = null, PromptText? Text = null, string? Demonstrations = null, int? K = null)
{
    public bool Generates => Model is not null || Prompt is not null || Text is not null || Demonstrations is not null;
}
