namespace Flywheel.Demo;

/// <summary>Reads what the SQL node answered.</summary>
static class SqlReply
{
    /// <summary>The node's answer when a message needs no data.</summary>
    public const string None = "NONE";

    /// <summary>The statement, without the code fence that many models put around one; null when none is needed.</summary>
    public static string? Statement(string reply)
    {
        var text = reply.Trim();
        if (text.StartsWith("```", StringComparison.Ordinal))
        {
            var start = text.IndexOf('\n', StringComparison.Ordinal) + 1;
            var end = text.LastIndexOf("```", StringComparison.Ordinal);
            text = start > 0 && end > start ? text[start..end].Trim() : text.Trim('`').Trim();
        }
        return text.Length == 0 || text.TrimEnd('.').Equals(None, StringComparison.OrdinalIgnoreCase) ? null : text;
    }
}
