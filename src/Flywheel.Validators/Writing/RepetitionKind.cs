using Flywheel.Core;
using System.Globalization;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Writing;

/// <summary>
/// Passes when the text does not say the same again and again. Score: share in [0, 1) of word sequences, or of sentences, that stood
/// before.
/// </summary>
/// <remarks>The greater of both shares counts; sequences as in Welleck et al. 2020 (seq-rep-n).</remarks>
sealed class RepetitionKind() : ValidatorKind("writer.repetition", 1, "The text does not repeat itself.",
    new("max_share", "number", "Largest share of word sequences or sentences that may have stood before, 0 to 1.", "0.25"),
    new("n", "integer", "Words in a sequence, 2 to 10.", "4"),
    new("min_words", "integer", "Shorter texts pass.", "12"))
{
    public override bool CanGuard => false;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var most = read.Number("max_share", 0, 1) ?? 0.25;
        var n = read.Integer("n", 2, 10) ?? 4;
        var least = read.Integer("min_words", 1, 10_000) ?? 12;

        return new TextValidator(version, context.Subject, (text, _) =>
        {
            var prose = Prose.Of(text);
            var words = Prose.Words(prose);
            if (words.Count < least)
                return Finding.Pass(0);
            var (grams, gram, times) = Repeated(Prose.Ngrams(prose, n));
            var (sentences, sentence, again) = Repeated([.. Prose.Sentences(prose, words)]);
            var share = Math.Round(Math.Max(grams, sentences), 4);
            if (share <= most)
                return Finding.Pass(share);
            var (what, count) = sentences >= grams ? (sentence, again) : (gram, times);
            return Finding.Fail(string.Create(CultureInfo.InvariantCulture,
                $"{100 * share:0} % of its {(sentences >= grams ? "sentences" : $"{n}-word sequences")} stood before, most often "
                    + $"{Quote.Short(what!)} ({count} times)"), share);
        });
    }

    static (double Share, string? Most, int Times) Repeated(List<string> items)
    {
        if (items.Count == 0)
            return (0, null, 0);
        var groups = items.CountBy(item => item).ToList();
        var top = groups.MaxBy(group => group.Value);
        return (1 - (double)groups.Count / items.Count, top.Key, top.Value);
    }
}
