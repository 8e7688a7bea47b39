using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Validators.Detection;

/// <summary>Compares a text's measures with limits that were set, learned from ordinary texts, or shipped; in this order.</summary>
/// <remarks>
/// A learned limit is the conformal threshold of its measure at an even part of <paramref name="falseAlarms"/>, so that ordinary texts
/// fail at most that often (Bonferroni); measures with many ties, such as links, keep it with room to spare.
/// </remarks>
/// <param name="given">Ordinary texts of the settings; null for those that people approved, or none.</param>
/// <param name="references">Null when nothing is learned from the project's traffic.</param>
sealed class ComplexityValidator(
    string version, ValidatorContext context, ITokenCounter tokens, ComplexityLimit least, IReadOnlyList<ComplexityLimit> most,
    double falseAlarms,
    ReferenceSet? given, IApprovedReferences? references) : IValidator
{
    /// <summary>Of longer references, evenly spaced texts are measured.</summary>
    const int MaxTexts = 20_000;

    readonly Lock _one = new();
    volatile Learned? _learned;

    sealed record Learned(string Version, OnceMade<Bounds> Made);

    /// <param name="Texts">Learned from so many; 0 when nothing was.</param>
    sealed record Bounds(int Least, IReadOnlyList<int> Most, int Texts);

    Bounds Fixed { get; } = new(least.Given ?? least.Otherwise, [.. most.Select(limit => limit.Given ?? limit.Otherwise)], 0);

    public string Version => VersionWith(_learned?.Version ?? given?.Version);

    public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => (await DecideAsync(examinee, ct)).Finding;

    public async ValueTask<Decision> DecideAsync(Examinee examinee, CancellationToken ct)
    {
        var reference = given ?? (references is not null && context.Project is { } project
            ? await references.CurrentAsync(project, context.MetricName, context.Subject, ct) : null);
        var enough = reference is not null && reference.Texts.Count >= ComplexityKind.Needed(falseAlarms);
        var named = VersionWith(enough ? reference!.Version : null);
        if (examinee.Text is not { } text)
            return new(TextValidator.NothingToCheck(context.Subject, examinee), named);
        return new(Check(TextShape.Of(text, tokens), enough ? await Of(reference!).Made.GetAsync(ct) : Fixed), named);
    }

    Finding Check(TextShape shape, Bounds bounds)
    {
        string Why(ComplexityLimit limit) => bounds.Texts > 0 && limit.Given is null
            ? string.Create(CultureInfo.InvariantCulture, $" (learned from {bounds.Texts:N0} ordinary texts)") : "";
        var over = most.Zip(bounds.Most).Where(pair => pair.First.Value(shape) > pair.Second)
            .Select(pair => string.Create(
                CultureInfo.InvariantCulture, $"{pair.First.Value(shape)} {pair.First.Words}, more than {pair.Second}{Why(pair.First)}"))
                    .ToList();
        if (shape.Tokens < bounds.Least)
            over.Add(string.Create(CultureInfo.InvariantCulture, $"{shape.Tokens} tokens, fewer than {bounds.Least}{Why(least)}"));
        return over.Count == 0 ? Finding.Pass(shape.Tokens) : Finding.Fail(string.Join("; ", over), shape.Tokens);
    }

    string VersionWith(string? reference) => string.IsNullOrEmpty(reference) ? version : $"{version}-{reference}";

    Learned Of(ReferenceSet reference)
    {
        if (_learned is { } now && now.Version == reference.Version)
            return now;
        lock (_one)
            return _learned = _learned is { } made && made.Version == reference.Version
                ? made
                : new(reference.Version, new(() => Task.FromResult(Learn(reference.Texts))));
    }

    Bounds Learn(IReadOnlyList<string> all)
    {
        var step = Math.Max(1, (double)all.Count / MaxTexts);
        var shapes = Enumerable.Range(0, Math.Min(all.Count, MaxTexts)).Select(i => TextShape.Of(all[(int)(i * step)], tokens)).ToArray();
        var share = falseAlarms / ComplexityKind.Limits;
        int Top(Func<TextShape, double> value) => (int)new ConformalCalibration(shapes.Select(value)).Threshold(share)!;
        return new(
            least.Given ?? -Top(shape => -least.Value(shape)), [.. most.Select(limit => limit.Given ?? Top(shape => limit.Value(shape)))],
            shapes.Length);
    }
}
