using System.Collections.Concurrent;
using Flywheel.Core.Metrics;
using Flywheel.Validators.Languages;

namespace Flywheel.Validators.Writing;

/// <summary>Passes when the answer is in the question's language. Score: that language's share of the answer's likelihood.</summary>
/// <remarks>The detector of <c>input.language</c>. Where the question or the answer is too short to tell, the finding is
/// <c>unsure</c>.</remarks>
sealed class SameLanguageKind() : ValidatorKind("writer.same-language", 1, "The answer is in the language of the question.",
    new SettingDescription("min_letters", "integer", "Questions and answers with fewer letters are unsure.", "30"))
{
    const double Threshold = 0.25;
    const double Clear = 0.7;

    static readonly ConcurrentDictionary<string, IReadOnlySet<Lingua.Language>> Alone = new();

    public override IReadOnlySet<MetricSubject> Subjects => OutputOnly;
    public override bool CanGuard => false;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var least = read.Integer("min_letters", 1, 1_000) ?? 30;
        return new TextValidator(version, context.Subject, (text, examinee) =>
        {
            if ((examinee.Span?.Content.Input ?? examinee.Input) is not { } question)
                return Finding.Skipped("the span has no input to compare with");
            var (asked, answer) = (Prose.Of(question), Prose.Of(text));
            if (LanguageKind.Letters(asked) < least || LanguageKind.Letters(answer) < least)
                return Finding.Unsure(
                    $"fewer than {least} letters in the {(LanguageKind.Letters(asked) < least ? "question" : "answer")}, too few to tell "
                        + "the language");
            if (LanguageShares.Of(asked, Alone.GetOrAdd("", _ => new HashSet<Lingua.Language>())).Likeliest is not { } theirs)
                return Finding.Unsure("the question has no letters of a known language");
            var wanted = Alone.GetOrAdd(theirs, code => LanguageShares.Supported([code]));
            if (LanguageShares.Of(asked, wanted).Share < Clear)
                return Finding.Unsure($"the question's language is not clear: most like `{theirs}`");
            var (share, likeliest) = LanguageShares.Of(answer, wanted);
            var score = Math.Round(share, 4);
            return likeliest is null ? Finding.Unsure("the answer has no letters of a known language")
                : share >= Threshold ? Finding.Pass(score, $"both are most like `{theirs}`")
                : Finding.Fail($"the question is most like `{theirs}`, the answer like `{likeliest}`", score);
        });
    }
}
