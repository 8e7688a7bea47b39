namespace Flywheel.Validators.Code;

/// <summary>Code that a model put into a Markdown block.</summary>
static class CodeFence
{
    /// <summary>The code when all of the text is one block, marked with one of the languages or not at all; otherwise null.</summary>
    public static string? Inside(string text, params ReadOnlySpan<string> languages)
    {
        var trimmed = text.AsSpan().Trim();
        if (!trimmed.StartsWith("```") || !trimmed.EndsWith("```") || trimmed.Length < 7)
            return null;
        var inside = trimmed[3..^3];
        var line = inside.IndexOf('\n');
        if (line < 0 || inside[(line + 1)..].Contains("```", StringComparison.Ordinal))
            return null;
        var mark = inside[..line].Trim().ToString();
        if (mark.Length == 0)
            return inside[(line + 1)..].ToString();
        foreach (var language in languages)
            if (mark.Equals(language, StringComparison.OrdinalIgnoreCase))
                return inside[(line + 1)..].ToString();
        return null;
    }
}
