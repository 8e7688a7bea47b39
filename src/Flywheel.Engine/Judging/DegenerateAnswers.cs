using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Flywheel.Core;

namespace Flywheel.Engine.Judging;

/// <summary>Texts that say nothing and are known to win a judge's pass all the same.</summary>
/// <remarks>
/// Zhao et al., "One Token to Fool LLM-as-a-Judge" (arXiv 2507.08794): punctuation alone, and openers of reasoning with nothing behind
/// them, were passed in up to 80-90 % of cases. The list is the paper's, with a few openers of the same kind.
/// </remarks>
static class DegenerateAnswers
{
    static readonly FrozenSet<string> Openers = new[]
    {
        "thought process", "let's solve this problem step by step", "lets solve this problem step by step", "let's think step by step",
        "step by step solution", "solution", "the solution", "answer", "the answer", "final answer", "explanation", "reasoning", "analysis",
        "respuesta", "solución", "lösung", "réponse", "解", "解答", "かいせつ", "解説", "ответ",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>No letter and no digit in any script.</summary>
    public static bool IsSymbolsOnly(string text) => !text.EnumerateRunes().Any(Rune.IsLetterOrDigit);

    /// <summary>The whole text is an opener of reasoning, whatever marks stand around it.</summary>
    public static bool IsOpener(string text)
    {
        if (text.Length > 200)
            return false;
        var words = string.Join(' ', UnicodeForms.Compatible(text).Replace('’', '\'').Split(
            [' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries)).Trim();
        var (start, end) = (0, words.Length);
        while (start < end && !char.IsLetterOrDigit(words[start]))
            start++;
        while (end > start && !char.IsLetterOrDigit(words[end - 1])
            && char.GetUnicodeCategory(words[end - 1]) != UnicodeCategory.NonSpacingMark)
            end--;
        return Openers.Contains(words[start..end]);
    }
}
