namespace Flywheel.Core;

/// <summary>Foreign text inside a sentence of ours.</summary>
static class Quote
{
    /// <summary>The first characters in quotation marks, line breaks shown as spaces.</summary>
    public static string Short(string text, int length = 60)
    {
        var cut = text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)] + "…";
        return "\"" + string.Create(cut.Length, cut, static (span, source) =>
        {
            for (var i = 0; i < source.Length; i++)
                span[i] = char.IsControl(source[i]) ? ' ' : source[i];
        }) + "\"";
    }
}
