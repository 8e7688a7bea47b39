using Microsoft.Extensions.AI;

namespace Flywheel.Client;

/// <summary>How one node's calls are watched; every default works.</summary>
public sealed class FlywheelChatOptions
{
    /// <summary>False leaves the prompt as the application wrote it and only records.</summary>
    public bool UseDemonstrations { get; set; } = true;

    /// <summary>How many demonstrations at most, 1 or more; null leaves it to the node's policy.</summary>
    public int? K { get; set; }

    /// <summary><c>similar</c>, <c>similar-fixed</c>, <c>both</c> or <c>recent</c>; null leaves it to the node's policy.</summary>
    public string? Strategy { get; set; }

    /// <summary>How long a call waits for demonstrations before it goes without. <see cref="Timeout.InfiniteTimeSpan"/> waits.</summary>
    public TimeSpan RetrievalDeadline { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// False leaves this node's inputs unguarded before the model; its spans are still judged and redacted where they are stored.
    /// </summary>
    public bool UseGuards { get; set; } = true;

    /// <summary>How long a call waits for the guards. Judges among them need more than the default.</summary>
    public TimeSpan GuardDeadline { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>True blocks an input about which the guards could not be asked in time; the default lets it pass, and counts it.</summary>
    public bool BlockWhenGuardFails { get; set; }

    /// <summary>What the node answers when a guard blocks its input; null throws <see cref="InputBlockedException"/>.</summary>
    public string? Refusal { get; set; }

    /// <summary>What the node was asked, read from the conversation; null or empty when nothing can be read.</summary>
    /// <remarks>The default is the text of the last user message. Set it when the application wraps what its user wrote.</remarks>
    public Func<IEnumerable<ChatMessage>, string?> ReadInput { get; set; } = LastUserText;

    /// <summary>Wraps a demonstration's input as the application wraps its user's; the default leaves it as it is.</summary>
    public Func<string, string> FormatInput { get; set; } = static input => input;

    /// <summary>US dollars of one answer, for applications that know their prices; null when unknown.</summary>
    public Func<ChatResponse, double?>? ReadCostUsd { get; set; }

    /// <summary>False records the read input and the output, but not the whole conversation.</summary>
    public bool RecordMessages { get; set; } = true;

    /// <summary>Characters of one span's conversation as JSON beyond which it is left out, and the span says so.</summary>
    public int MaxMessageCharacters { get; set; } = 1_000_000;

    static string? LastUserText(IEnumerable<ChatMessage> messages) =>
        messages.LastOrDefault(static message => message.Role == ChatRole.User)?.Text;

    internal void Check()
    {
        if (K is { } k)
            ArgumentOutOfRangeException.ThrowIfLessThan(k, 1, nameof(K));
        if (RetrievalDeadline != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RetrievalDeadline, TimeSpan.Zero);
        if (GuardDeadline != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(GuardDeadline, TimeSpan.Zero);
        ArgumentNullException.ThrowIfNull(ReadInput);
        ArgumentNullException.ThrowIfNull(FormatInput);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxMessageCharacters);
    }
}
