using System.Text.Json;
using Flywheel.Demo.Resources;

namespace Flywheel.Demo;

/// <summary>The messages that ship inside the assembly.</summary>
public static class SupportMessages
{
    /// <summary>All of them, in the order in which they would have arrived: sessions interleave, each in its own order.</summary>
    public static IReadOnlyList<SupportMessage> Load() => Parse(EmbeddedText.Read("messages.jsonl"));

    internal static IReadOnlyList<SupportMessage> Parse(string lines) =>
    [
        .. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select((line, i) => JsonSerializer.Deserialize<SupportMessage>(line, SupportJson.Compact)
                ?? throw new JsonException($"Line {i + 1} is null.")),
    ];

    /// <summary>One JSON object a line, as <see cref="Load"/> reads them.</summary>
    internal static string Write(IEnumerable<SupportMessage> messages) =>
        string.Concat(messages.Select(message => JsonSerializer.Serialize(message, SupportJson.Compact) + "\n"));
}
