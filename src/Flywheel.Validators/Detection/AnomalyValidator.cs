using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Detection;

/// <summary>Compares with a reference that changes only when people approve another; its version is part of the validator's.</summary>
/// <param name="given">Of the settings; null for the approved one.</param>
sealed class AnomalyValidator(
    string version, ValidatorContext context, DetectionServices services, ReferenceSet? given, double falseAlarms, int neighbours,
    IReadOnlyList<string>? calibration) : IValidator
{
    readonly Lock _one = new();
    readonly string _version = $"{version}-{ValidatorKind.Hash(services.Embedder().Fingerprint)}";
    volatile Current? _current;

    sealed record Current(string Version, OnceMade<ReferenceIndex> Index);

    public string Version => VersionWith(_current?.Version ?? given?.Version);

    public async ValueTask<Decision> DecideAsync(Examinee examinee, CancellationToken ct)
    {
        var reference = given
            ?? (context.Project is { } project
            ? await services.References!.CurrentAsync(project, context.MetricName, context.Subject, ct) : null);
        if (reference is null)
            return new(Finding.Skipped("no reference is approved yet: propose one from recent traffic, then approve it"), _version);
        return new(await CheckAsync(examinee, Indexed(reference), ct), VersionWith(reference.Version));
    }

    public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => (await DecideAsync(examinee, ct)).Finding;

    string VersionWith(string? reference) => string.IsNullOrEmpty(reference) ? _version : $"{_version}-{reference}";

    Current Indexed(ReferenceSet reference)
    {
        if (_current is { } now && now.Version == reference.Version)
            return now;
        lock (_one)
            return _current = _current is { } made && made.Version == reference.Version
                ? made
                : new(reference.Version,
                    new(() => ReferenceIndex.BuildAsync(
                        services.Embedder(), reference.Texts, neighbours, ReferenceIndex.RankedMean, calibration)));
    }

    async ValueTask<Finding> CheckAsync(Examinee examinee, Current current, CancellationToken ct)
    {
        if (examinee.Text is not { } text)
            return TextValidator.NothingToCheck(context.Subject, examinee);
        var index = await current.Index.GetAsync(ct);
        var (nearness, _) = await index.NearnessAsync(text, ct);
        var p = index.Calibration.PValue(-nearness);
        var compared = $"mean similarity {nearness:0.00} to the {neighbours} nearest of {index.Count:N0} approved inputs; p = {p:0.####}";
        return p <= falseAlarms
            ? Finding.Fail($"unlike what this node is asked: {compared}, where {TopicKind.Percent(falseAlarms)} of ordinary inputs are "
            + "expected at most", 1 - nearness)
            : Finding.Pass(1 - nearness, compared);
    }
}
