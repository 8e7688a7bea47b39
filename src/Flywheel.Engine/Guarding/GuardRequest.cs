using System.Text.Json;

namespace Flywheel.Engine.Guarding;

/// <summary>An input that the guards are asked about, as the caller writes it.</summary>
/// <param name="Kind">Of the node; null for <c>other</c>.</param>
/// <param name="Input">What is about to go to the model.</param>
/// <param name="Attributes">An object; null or JSON null for none.</param>
public sealed record GuardRequest(
    string Node, string Input, string? Kind = null, string? EndUser = null, string? Session = null, JsonElement? Attributes = null);
