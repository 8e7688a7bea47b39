using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;

namespace Flywheel.Validators.Detection;

/// <summary>Compares with the texts of all topics; a keyword passes by itself and adds 1 to the score.</summary>
sealed class TopicValidator(
    string version, ValidatorContext context, Func<IEmbedder> embedder, IReadOnlyList<ReferenceRow> rows,
    IReadOnlyList<(string Topic, string Word)> keywords, double falseAlarms, double? fixedAt, IReadOnlyList<string>? calibration)
        : IValidator
{
    readonly OnceMade<ReferenceIndex> _index = new(() =>
    {
        var nearness = new TopicNearness(rows);
        return ReferenceIndex.BuildAsync(
            embedder(), [.. rows.Select(row => row.Text)], TopicNearness.Neighbours, nearness.Measure, calibration);
    });

    public string Version { get; } = rows.Count == 0 ? version : $"{version}-{ValidatorKind.Hash(embedder().Fingerprint)}";

    public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
    {
        if (examinee.Text is not { } text)
            return TextValidator.NothingToCheck(context.Subject, examinee);
        var (similarity, nearest) = (0.0, -1);
        ReferenceIndex? index = null;
        if (rows.Count > 0)
        {
            index = await _index.GetAsync(ct);
            (similarity, nearest) = await index.NearnessAsync(text, ct);
        }
        foreach (var (topic, word) in keywords)
            if (Phrases.Count(text, word, ignoreCase: true, wholeWords: true) > 0)
                return Finding.Pass(1 + similarity, $"{topic}: holds `{word}`");
        return index is null
            ? Finding.Fail("holds no keyword of a supported topic", 0)
            : Decide(similarity, nearest < 0 ? null : rows[nearest].Topic, index);
    }

    Finding Decide(double similarity, string? topic, ReferenceIndex index)
    {
        var nearest = $"nearest topic {topic}, similarity {similarity:0.00}";
        if (fixedAt is null && TopicKind.CanCalibrate(index.Calibration.Count, falseAlarms))
        {
            var p = index.Calibration.PValue(-similarity);
            return p <= falseAlarms
                ? Finding.Fail($"off topic: {nearest}; p = {p:0.####}, where {TopicKind.Percent(falseAlarms)} of inputs in scope are "
                + "expected at most", similarity)
                : Finding.Pass(similarity, $"{nearest}; p = {p:0.####}");
        }
        var threshold = fixedAt ?? TopicKind.DefaultSimilarity;
        return similarity < threshold
            ? Finding.Fail($"off topic: {nearest}, less than {threshold:0.00}", similarity)
            : Finding.Pass(similarity, nearest);
    }
}
