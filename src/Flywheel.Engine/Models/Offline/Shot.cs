namespace Flywheel.Engine.Models.Offline;

/// <summary>One example in a prompt: what was asked and what was answered.</summary>
internal sealed record Shot(string Question, string Answer);
