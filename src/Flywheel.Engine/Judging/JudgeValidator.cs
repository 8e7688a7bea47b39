using System.Text;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Judging;

/// <summary>Asks the model once per text. A reply outside the contract is an error, never a pass.</summary>
sealed class JudgeValidator(
    string settingsVersion, ValidatorContext context, JudgeSettings settings, IChatClient client, string? provider, JudgeServices services)
    : IPricedValidator
{
    const string NoPool = "none";

    readonly string? _model = (client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId;
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
        var response = await client.GetResponseAsync(messages, Options(), ct);
        return new(Read(response, shown), VersionOf(shown.PoolVersion));
    }

    public double ExpectedCostUsd(Examinee examinee)
    {
        if (services.Price is not { } price || WithoutCall(examinee) is not null)
            return 0;
        // Three bytes a token is on the safe side; examples are taken to be as long as the text.
        long text = Encoding.UTF8.GetByteCount(examinee.Text!);
        long bytes = 2_000 + Encoding.UTF8.GetByteCount(context.Criterion) + settings.Rules.Sum(Encoding.UTF8.GetByteCount)
            + Encoding.UTF8.GetByteCount(InputOf(examinee) ?? "") + text * (HasExamples ? settings.Examples + 1 : 1);
        return price(_model, new() { InputTokenCount = bytes / 3, OutputTokenCount = settings.MaxOutputTokens });
    }

    public Finding? WithoutCall(Examinee examinee)
    {
        if (examinee.Text is not { } text)
            return TextValidator.NothingToCheck(context.Subject, examinee);
        var length = text.Length + (InputOf(examinee)?.Length ?? 0);
        if (length > settings.MaxCharacters)
            return Finding.Skipped($"{length} characters to judge, more than `max_characters` ({settings.MaxCharacters})");
        // Zhao et al., arXiv 2507.08794: judges pass texts such as ":" in up to 80-90 % of cases.
        return text.EnumerateRunes().Any(Rune.IsLetterOrDigit)
            ? null
            : Finding.Unsure("the text has no letter or digit, and judges are known to pass such texts whatever was asked");
    }

    string? InputOf(Examinee examinee) =>
        settings.ShowInput && context.Subject == MetricSubject.Output ? examinee.Span?.Content.Input ?? examinee.Input : null;

    ChatOptions Options() => new()
    {
        ResponseFormat = JudgePrompt.ReplyFormat, MaxOutputTokens = settings.MaxOutputTokens, Temperature = settings.Temperature,
    };

    Finding Read(ChatResponse response, JudgeExamples shown)
    {
        var model = response.ModelId ?? _model;
        var cost = response.Usage is { } usage && services.Price is { } price ? price(model, usage) : 0;
        var finding = Judgement.Parse(response.Text, out var problem) is { } reply
            ? new Finding(reply.Verdict, null, reply.Critique.Length > 0 ? reply.Critique : null, reply.Confidence)
            : Finding.Error(response.FinishReason is { } reason && reason != ChatFinishReason.Stop ? $"{problem} (finish reason: {reason.Value})" : problem!);
        return finding with { CostUsd = cost, Model = model, Demonstrations = [.. shown.Examples.Select(example => example.Id)] };
    }

    string VersionOf(string pool)
    {
        if (_current is { } current && current.Pool == pool)
            return current.Version;
        var parts = new[] { settingsVersion, context.Criterion, Wire.Name(context.Subject), $"{JudgePrompt.TemplateVersion}", provider ?? "", _model ?? "", pool };
        var version = "judge-" + ValidatorKind.Hash(string.Join("\n", parts.Select(part => $"{part.Length}:{part}")));
        _current = new(pool, version);
        return version;
    }

    sealed record Known(string Pool, string Version);
}
