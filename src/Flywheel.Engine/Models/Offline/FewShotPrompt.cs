using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Models.Offline;

/// <summary>A chat prompt read as examples and a question.</summary>
/// <param name="Instructions">The system messages.</param>
/// <param name="Shots">User messages with the assistant's answer to them, in the prompt's order.</param>
/// <param name="Question">What was asked last and not answered yet; empty when the prompt ends with an answer.</param>
internal sealed record FewShotPrompt(string Instructions, IReadOnlyList<Shot> Shots, string Question)
{
    public static FewShotPrompt Read(IEnumerable<ChatMessage> messages, string? instructions)
    {
        var system = new List<string>();
        if (!string.IsNullOrWhiteSpace(instructions))
            system.Add(instructions);
        var asked = new List<string>();
        var shots = new List<Shot>();
        foreach (var message in messages)
        {
            var text = message.Text;
            if (message.Role == ChatRole.System)
                system.Add(text);
            else if (message.Role == ChatRole.User)
                asked.Add(text);
            else if (message.Role == ChatRole.Assistant && !string.IsNullOrWhiteSpace(text) && asked.Count > 0)
            {
                shots.Add(new(string.Join('\n', asked), text));
                asked.Clear();
            }
        }

        return new(string.Join('\n', system), shots, string.Join('\n', asked));
    }
}
