using Flywheel.Core.Guarding;

namespace Flywheel.Client;

/// <summary>A guard blocked the input; the model was not asked.</summary>
/// <remarks>Thrown unless <see cref="FlywheelChatOptions.Refusal"/> is set. Its message is for logs, not for the end user.</remarks>
/// <param name="answer">What the guards said; null when they could not be asked and <see cref="FlywheelChatOptions.BlockWhenGuardFails"/>
/// is set.</param>
public sealed class InputBlockedException(string message, GuardAnswer? answer) : Exception(message)
{
    /// <summary>What the guards said; null when they could not be asked.</summary>
    public GuardAnswer? Answer { get; } = answer;
}
