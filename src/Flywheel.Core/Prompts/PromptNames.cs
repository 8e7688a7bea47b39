using Flywheel.Core.Traces;

namespace Flywheel.Core.Prompts;

/// <summary>Names of prompts and of prompt labels that can be used.</summary>
public static class PromptNames
{
    const int MaxLabel = 100;

    /// <returns>Why the name cannot be used, to follow the field's name; null if it can.</returns>
    public static string? WrongName(string name) =>
        SpanRules.Name(name, SpanRules.MaxNameLength)
            ?? (name.Contains('/') ? "holds a slash: use another character, such as a dot." : null);

    /// <summary>Checks the name of a prompt label that is to be set.</summary>
    /// <exception cref="RequestException">It cannot be used.</exception>
    public static string CheckLabel(string label, string field)
    {
        RequestField.Name(field, label, MaxLabel);
        if (label == PromptLabel.Latest)
            throw RequestException.BadField(field, $"`{field}` is `latest`, which is always the newest version: use another name.");
        if (label.All(char.IsAsciiDigit) || label.Contains('/'))
            throw RequestException.BadField(
                field, $"`{field}` is `{label}`: a prompt label must not hold a slash and must not be a number.");
        return label;
    }
}
