using Flywheel.Core;
using Microsoft.Extensions.AI;

namespace Flywheel.Client.Prompting;

/// <summary>Puts demonstrations into a conversation as exchanges that took place before it.</summary>
internal static class FewShotPrompt
{
    static readonly ChatRole Developer = new("developer");

    /// <summary>A new list: the leading instructions, a user and an assistant message per demonstration, then the rest.</summary>
    /// <remarks>
    /// They stand before the whole conversation, not inside it: between two of its turns they would read as things that this
    /// user said. The messages themselves are shared with the caller's list, which stays as it is.
    /// </remarks>
    /// <param name="demonstrations">In prompt order; the most similar last, next to the conversation.</param>
    public static IReadOnlyList<ChatMessage> With(
        IReadOnlyList<ChatMessage> messages, IReadOnlyList<ChosenDemonstration> demonstrations, Func<string, string> formatInput)
    {
        var prompt = new List<ChatMessage>(messages.Count + 2 * demonstrations.Count);
        var head = 0;
        while (head < messages.Count && (messages[head].Role == ChatRole.System || messages[head].Role == Developer))
            prompt.Add(messages[head++]);
        foreach (var demonstration in demonstrations)
        {
            prompt.Add(new(ChatRole.User, formatInput(demonstration.Input)));
            prompt.Add(new(ChatRole.Assistant, demonstration.Output));
        }
        for (var i = head; i < messages.Count; i++)
            prompt.Add(messages[i]);
        return prompt;
    }
}
