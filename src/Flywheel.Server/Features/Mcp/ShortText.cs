using System.Globalization;

namespace Flywheel.Server.Features.Mcp;

/// <summary>Texts for an agent, whose context is short.</summary>
static class ShortText
{
    /// <returns>At most so many characters, and how many more there are; null for null.</returns>
    public static string? Of(string? text, int length)
    {
        if (text is null || text.Length <= length)
            return text;
        var end = char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
        return string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, end)}… [{text.Length - end} more characters]");
    }
}
