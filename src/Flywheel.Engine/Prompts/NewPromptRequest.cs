using System.Text.Json;

namespace Flywheel.Engine.Prompts;

/// <summary>A version to add to a prompt.</summary>
/// <param name="Template">A text, or for a chat prompt a list of <c>{role, content}</c>; <c>{{name}}</c> is a placeholder.</param>
/// <param name="Config">An object with the model, temperature and other parameters of this wording; null for none.</param>
/// <param name="Labels">Prompt labels that then point at the version; protected ones are proposed.</param>
public sealed record NewPromptRequest(
    JsonElement Template, JsonElement? Config = null, string? Note = null, IReadOnlyList<string>? Labels = null);
