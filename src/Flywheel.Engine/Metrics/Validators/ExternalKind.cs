using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Another system decides and sends its results; the settings say which of them pass.</summary>
/// <remarks>A label is looked up first, then the score. Without a rule, 1 passes and 0 fails; any other score is unsure, never a
/// guess.</remarks>
sealed class ExternalKind() : ValidatorKind(
    ValidatorSpec.External, 1, "Another system decides and sends `gen_ai.evaluation.result` events.",
    new("pass_labels", "list of text", "Labels that pass, beside pass, passed, true, yes, correct.", "no others"),
    new("fail_labels", "list of text", "Labels that fail, beside fail, failed, false, no, incorrect.", "no others"),
    new("pass_at_least", "number", "Smallest score that passes.", "1 passes, 0 fails, others are unsure"),
    new("pass_at_most", "number", "Largest score that passes, where a high score is bad.", "no upper bound"))
{
    static readonly string[] PassLabel = ["pass", "passed", "true", "yes", "correct"];
    static readonly string[] FailLabel = ["fail", "failed", "false", "no", "incorrect"];

    /// <summary>A model's word for all that is known: it is withheld where people label blind.</summary>
    public override bool CallsModel => true;

    public override bool CanGuard => false;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var rule = Rule.Read(read);
        if (rule.AtLeast > rule.AtMost)
            throw read.Wrong("pass_at_least", "is more than `pass_at_most`: no score can pass.");
        if (rule.Pass.FirstOrDefault(rule.Fail.Contains) is { } both)
            throw read.Wrong("pass_labels", $"holds `{both}`, as `fail_labels` does: a label means one of the two.");
        return new Nobody(version);
    }

    /// <summary>What a result means under a metric's settings.</summary>
    public static Finding Decide(ValidatorSpec spec, SpanEvaluation said)
    {
        if (said.Error is { } error)
            return Finding.Error($"{said.Evaluator}: {error}");
        var rule = Rule.Read(new ValidatorSettings(ValidatorSpec.External, new ExternalKind().Settings, spec.Settings));
        var word = said.Label?.Trim().ToLowerInvariant();
        var outcome = word is not null
            && (rule.Pass.Contains(word) || rule.Fail.Contains(word)) ? rule.Pass.Contains(word) ? Outcome.Pass : Outcome.Fail
            : word is not null && PassLabel.Contains(word) ? Outcome.Pass
            : word is not null && FailLabel.Contains(word) ? Outcome.Fail
            : said.Score is not { } score ? Outcome.Unsure
            : rule.AtLeast is not null || rule.AtMost is not null ? score >= (rule.AtLeast ?? double.MinValue)
            && score <= (rule.AtMost ?? double.MaxValue) ? Outcome.Pass : Outcome.Fail
            : score == 1 ? Outcome.Pass : score == 0 ? Outcome.Fail : Outcome.Unsure;
        var reason = outcome != Outcome.Unsure ? said.Explanation
            : $"{(said.Label is null ? "" : $"`{Quote.Short(said.Label)}` ")}says neither pass nor fail: set pass_labels, fail_labels, pass_at_least or pass_at_most. {said.Explanation}".TrimEnd();
        return new(outcome, said.Score, reason, Model: said.Source == EvaluationSource.Code ? null : said.Evaluator);
    }

    /// <returns>What a person's result means; null when it is neither.</returns>
    public static bool? Passed(ValidatorSpec spec, SpanEvaluation said) => said.Error is not null ? null
        : Decide(spec.Kind == ValidatorSpec.External ? spec : new(ValidatorSpec.External, default), said).Outcome switch
        {
            Outcome.Pass => true,
            Outcome.Fail => false,
            _ => null,
        };

    sealed record Rule(IReadOnlyList<string> Pass, IReadOnlyList<string> Fail, double? AtLeast, double? AtMost)
    {
        public static Rule Read(ValidatorSettings read) => new(
            [.. read.Texts("pass_labels").Select(label => label.Trim().ToLowerInvariant())],
            [.. read.Texts("fail_labels").Select(label => label.Trim().ToLowerInvariant())],
            read.Number("pass_at_least", -1e9, 1e9), read.Number("pass_at_most", -1e9, 1e9));
    }

    sealed class Nobody(string version) : IValidator
    {
        public string Version => version;

        public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) =>
            ValueTask.FromResult(Finding.Skipped("judged elsewhere"));
    }
}
