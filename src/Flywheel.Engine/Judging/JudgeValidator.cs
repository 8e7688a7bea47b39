using System.Text;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics;

namespace Flywheel.Engine.Judging;

/// <summary>Asks a model about a text. A reply outside the contract is mended once; then it is an error, never a pass.</summary>
sealed class JudgeValidator(
    string settingsVersion, ValidatorContext context, JudgeSettings settings, JudgeModel model, JudgeServices services)
    : IPricedValidator
{
    const string NoPool = "none";

    readonly JudgeCalls _calls = new(services);
    Known? _current;

    bool HasExamples => services.Examples is not null && settings.Examples > 0 && context.Project is not null;

    public string Version => VersionOf(HasExamples ? services.Examples!.PoolVersion(context.Project!.Value, context.MetricName) : NoPool);

    public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => (await DecideAsync(examinee, ct)).Finding;

    public async ValueTask<Decision> DecideAsync(Examinee examinee, CancellationToken ct)
    {
        if (WithoutCall(examinee) is { } finding)
            return new(finding, Version);

        var text = examinee.Text!;
        var shown = HasExamples
            ? await services.Examples!.FindAsync(context.Project!.Value, context.MetricName, text, settings.Examples, ct)
            : new JudgeExamples(NoPool, []);
        var messages = JudgePrompt.Write(
            context.Criterion, settings.Rules, context.Subject, text, InputOf(examinee), shown.Examples, services.NewFence);
        var answer = await _calls.AskAsync(new(model, messages, settings.Temperature, settings.MaxOutputTokens), ct);
        return new(FindingOf(answer, shown), VersionOf(shown.PoolVersion));
    }

    public double ExpectedCostUsd(Examinee examinee)
    {
        if (services.Price is not { } price || WithoutCall(examinee) is not null)
            return 0;
        // Three bytes a token is on the safe side; examples are taken to be as long as the text.
        long text = Encoding.UTF8.GetByteCount(examinee.Text!);
        long bytes = 2_000 + Encoding.UTF8.GetByteCount(context.Criterion) + settings.Rules.Sum(Encoding.UTF8.GetByteCount)
            + Encoding.UTF8.GetByteCount(InputOf(examinee) ?? "") + text * (HasExamples ? settings.Examples + 1 : 1);
        return price(model.Id, new() { InputTokenCount = bytes / 3, OutputTokenCount = settings.MaxOutputTokens });
    }

    public Finding? WithoutCall(Examinee examinee)
    {
        if (examinee.Text is not { } text)
            return TextValidator.NothingToCheck(context.Subject, examinee);
        var length = text.Length + (InputOf(examinee)?.Length ?? 0);
        if (length > settings.MaxCharacters)
            return Finding.Skipped($"{length} characters to judge, more than `max_characters` ({settings.MaxCharacters})");
        if (MasterKeys.IsSymbolsOnly(text))
            return Finding.Unsure("the text has no letter or digit, and judges are known to pass such texts whatever was asked");
        // The answer of a classifier may well be the word `solution`.
        return examinee.Span?.Content.Kind != NodeKind.Classifier && MasterKeys.IsOpener(text)
            ? Finding.Unsure("the text only announces an answer, and judges are known to pass such texts whatever was asked")
            : null;
    }

    string? InputOf(Examinee examinee) =>
        settings.ShowInput && context.Subject == MetricSubject.Output ? examinee.Span?.Content.Input ?? examinee.Input : null;

    static Finding FindingOf(JudgeAnswer answer, JudgeExamples shown)
    {
        var finding = answer.Judgement is { } reply
            ? new Finding(reply.Verdict, null, reply.Critique.Length > 0 ? reply.Critique : null, reply.Confidence)
            : Finding.Error(answer.Problem!);
        return finding with { CostUsd = answer.CostUsd, Model = answer.Model, Demonstrations = [.. shown.Examples.Select(example => example.Id)] };
    }

    string VersionOf(string pool)
    {
        if (_current is { } current && current.Pool == pool)
            return current.Version;
        var parts = new[] { settingsVersion, context.Criterion, Wire.Name(context.Subject), $"{JudgePrompt.TemplateVersion}", model.Name ?? "", model.Id ?? "", Wire.Name(model.Structured), pool };
        var version = "judge-" + ValidatorKind.Hash(string.Join("\n", parts.Select(part => $"{part.Length}:{part}")));
        _current = new(pool, version);
        return version;
    }

    sealed record Known(string Pool, string Version);
}
