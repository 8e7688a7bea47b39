using Flywheel.Core.Guarding;
using Microsoft.Extensions.AI;

namespace Flywheel.Client.Guarding;

/// <summary>Takes what the guards found in the input out of the prompt.</summary>
internal static class PromptRedaction
{
    /// <summary>A new list in which no user message holds what was found; messages without it are shared with the caller's list.</summary>
    /// <remarks>
    /// The application may have wrapped what its user wrote, so it is looked for wherever it stands, in earlier turns too. Should the
    /// input, read anew, still hold some of it, the last user message becomes the redacted input alone.
    /// </remarks>
    public static IReadOnlyList<ChatMessage> Of(
        IReadOnlyList<ChatMessage> messages, string input, GuardAnswer answer, Func<IEnumerable<ChatMessage>, string?> readInput)
    {
        var redaction = new Redaction(input, answer.Findings.SelectMany(finding => finding.Redacts));
        (string Found, string Placeholder)[] pairs =
        [
            .. redaction.Replaced.Select(span => (input.Substring(span.Start, span.Length), Redaction.Placeholder(span.Type)))
                .Distinct().OrderByDescending(pair => pair.Item1.Length),
        ];
        var redacted = messages.Select(message => message.Role == ChatRole.User ? Redacted(message, pairs) : message).ToList();
        if (readInput(redacted) is { } again && pairs.Any(pair => again.Contains(pair.Found, StringComparison.Ordinal)))
        {
            var last = redacted.FindLastIndex(message => message.Role == ChatRole.User);
            if (last >= 0)
                redacted[last] = With(redacted[last], [new TextContent(answer.Input)]);
        }
        return redacted;
    }

    static ChatMessage Redacted(ChatMessage message, (string Found, string Placeholder)[] pairs)
    {
        var changed = false;
        var contents = new List<AIContent>(message.Contents.Count);
        foreach (var content in message.Contents)
        {
            if (content is not TextContent text)
            {
                contents.Add(content);
                continue;
            }
            var value = pairs.Aggregate(text.Text, (value, pair) => value.Replace(pair.Found, pair.Placeholder, StringComparison.Ordinal));
            changed |= value != text.Text;
            contents.Add(value == text.Text ? text : new TextContent(value) { AdditionalProperties = text.AdditionalProperties });
        }
        return changed ? With(message, contents) : message;
    }

    static ChatMessage With(ChatMessage message, IList<AIContent> contents)
    {
        var copy = message.Clone();
        copy.Contents = contents;
        // The raw form, which a provider might send instead, still holds the text.
        copy.RawRepresentation = null;
        return copy;
    }
}
