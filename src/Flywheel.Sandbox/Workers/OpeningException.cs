
namespace Flywheel.SandboxChild.Workers;

/// <summary>A child cannot open what it was told to; the message names the remedy.</summary>
sealed class OpeningException(string message) : Exception(message);
