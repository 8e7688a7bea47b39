using System.Text;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when the text equals an expected value: a fixed one, or one that came with the span.</summary>
sealed class ExactMatchKind() : ValidatorKind("exact-match", 1, "The text equals an expected value, fixed or from the span's attributes.",
    new("expected", "text", "The expected text; or name an attribute instead.", "none"),
    new("expected_attribute", "text", "Path of the expected text in the span's attributes, such as `reference.answer`.", "none"),
    new("ignore_case", "true or false", "Treat upper and lower case alike.", "false"),
    new("trim", "true or false", "Leave white space around both texts out of account.", "true"),
    new("normalise_whitespace", "true or false", "Treat every run of white space as one space.", "false"))
{
    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var expected = read.Text("expected");
        var path = read.Text("expected_attribute");
        if (expected is null == path is null)
            throw read.Missing("expected", "give either `expected` (a text) or `expected_attribute` (a path), and not both.");
        if (path is not null && string.IsNullOrWhiteSpace(path))
            throw read.Wrong("expected_attribute", "is empty: give a path such as `reference.answer`.");
        var comparison = read.Flag("ignore_case", false) ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        var trim = read.Flag("trim", true);
        var collapse = read.Flag("normalise_whitespace", false);

        return new TextValidator(version, context.Subject, (text, examinee) =>
        {
            var wanted = expected;
            if (path is not null)
            {
                (wanted, var why) = AttributeText.At(examinee.Span?.Content.Attributes, path);
                if (wanted is null)
                    return Finding.Skipped(why!);
            }
            return string.Equals(Plain(text), Plain(wanted!), comparison)
                ? Finding.Pass()
                : Finding.Fail($"expected {Quote.Short(wanted!)}, found {Quote.Short(text)}");
        });

        string Plain(string text)
        {
            var plain = collapse ? Collapse(text) : text;
            return trim ? plain.Trim() : plain;
        }
    }

    static string Collapse(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
            if (!char.IsWhiteSpace(c))
                plain.Append(c);
            else if (plain.Length == 0 || plain[^1] != ' ')
                plain.Append(' ');
        return plain.ToString();
    }
}
