using System.Collections.Frozen;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when the whole text is one of some values, as a classifier's answer should be.</summary>
/// <remarks>Not for writers: prose is never one of a list.</remarks>
sealed class OneOfKind() : ValidatorKind("one-of", 1, "The whole text is one of the values: for classifiers.",
    new("values", "list of texts", "The allowed values.", null),
    new("ignore_case", "true or false", "Treat upper and lower case alike.", "false"),
    new("trim", "true or false", "Leave white space around the text out of account.", "true"))
{
    static readonly FrozenSet<NodeKind> Kinds = AllNodes.Where(kind => kind != NodeKind.Writer).ToFrozenSet();

    public override IReadOnlySet<NodeKind> NodeKinds => Kinds;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var trim = read.Flag("trim", true);
        var ignoreCase = read.Flag("ignore_case", false);
        var values = read.RequiredTexts("values", "give the list of allowed values.")
            .Select(value => trim ? value.Trim() : value)
            .ToFrozenSet(ignoreCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);

        return new TextValidator(version, context.Subject, (text, _) =>
        {
            var value = trim ? text.Trim() : text;
            return values.Contains(value)
                ? Finding.Pass()
                : Finding.Fail(value.Length == 0
                ? "the text is empty" : $"{Quote.Short(value)} is none of the {values.Count} values.{NearMiss.Hint(value, values)}");
        });
    }
}
