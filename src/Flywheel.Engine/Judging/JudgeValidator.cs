using System.Text;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Metrics.Validators;

namespace Flywheel.Engine.Judging;

/// <summary>Asks a model, or several times with different examples, about a text; what is too uncertain goes to a stronger one.</summary>
sealed class JudgeValidator(
    string settingsVersion, ValidatorContext context, JudgeSettings settings, JudgeModel model, Escalation? escalation, JudgeServices services)
    : ISelfPayingValidator
{
    const string NoPool = "none";

    readonly JudgeCalls _calls = new(services);
    Known? _current;

    public bool PaysItself => services.Ledger is not null && context.Project is not null;

    bool HasExamples => services.Examples is not null && settings.Examples > 0 && context.Project is not null;

    public string Version => VersionOf(
        HasExamples ? services.Examples!.PoolVersion(context.Project!.Value, context.MetricName) : NoPool,
        context.Project is { } project && services.Guidelines is { } known ? known.Known(project, context.MetricName) : GuidelineSet.None);

    public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => (await DecideAsync(examinee, ct)).Finding;

    public async ValueTask<Decision> DecideAsync(Examinee examinee, CancellationToken ct)
    {
        if (WithoutCall(examinee) is { } finding)
            return new(finding, Version);

        var guidelines = context.Project is { } project && services.Guidelines is { } source
            ? await source.CurrentAsync(project, context.MetricName, ct)
            : GuidelineSet.None;
        // Seats with the same examples would vote alike: they draw from twice as many.
        var pool = HasExamples
            ? await services.Examples!.FindAsync(
                context.Project!.Value, context.MetricName, examinee.Text!, settings.Annotators > 1 ? 2 * settings.Examples : settings.Examples,
                examinee.Span?.Id, ct)
            : new JudgeExamples(NoPool, []);
        return new(await JudgeAsync(examinee, guidelines, pool.Examples, ct), VersionOf(pool.PoolVersion, guidelines));
    }

    async Task<Finding> JudgeAsync(Examinee examinee, GuidelineSet guidelines, IReadOnlyList<JudgeExample> pool, CancellationToken ct)
    {
        var panel = new Panel(settings.Annotators);
        var shown = new List<Guid>();
        string? exhausted = null;
        for (var seat = 0; seat < settings.Annotators && !panel.IsDecided; seat++)
        {
            var examples = settings.Annotators == 1 ? pool : Panel.Examples(pool, settings.Examples, examinee.Text!, seat);
            shown = [.. shown.Union(examples.Select(example => example.Id))];
            try
            {
                panel.Add(await _calls.AskAsync(Question(model, examinee, guidelines, examples, seat), ct));
            }
            catch (BudgetExhaustedException error)
            {
                exhausted = error.Message;
                break;
            }
        }
        if (panel.Answers.Count == 0)
            return Finding.Skipped(exhausted!);
        var finding = panel.Finding() with { Demonstrations = shown };
        return escalation is { } line && finding.Outcome != Outcome.Error && !Reaches(finding, line)
            ? await EscalateAsync(line, finding, Question(line.Model, examinee, guidelines, [.. pool.TakeLast(settings.Examples)], 0), ct)
            : finding;
    }

    async Task<Finding> EscalateAsync(Escalation line, Finding first, JudgeQuestion question, CancellationToken ct)
    {
        var asked = new Panel(1);
        try
        {
            asked.Add(await _calls.AskAsync(question, ct));
        }
        catch (BudgetExhaustedException error)
        {
            return ForAPerson(first, $"{Said(first)}, and a stronger judge could not be asked: {error.Message}");
        }
        var second = asked.Finding() with { CostUsd = first.CostUsd + asked.CostUsd, Demonstrations = first.Demonstrations };
        // A stronger judge that names no confidence is taken at its word.
        return second.Outcome != Outcome.Error && (second is { Confidence: null, Outcome: not Outcome.Unsure } || Reaches(second, line))
            ? second
            : ForAPerson(second, $"{Said(first)}, {line.Model.Name} {Said(second)}: {second.Reason}");
    }

    static Finding ForAPerson(Finding finding, string why) => finding with { Outcome = Outcome.Unsure, Reason = "for a person: " + why };

    static string Said(Finding finding) => finding.Confidence is { } confidence
        ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"said {Wire.Name(finding.Outcome)} with confidence {confidence:0.##}")
        : $"said {Wire.Name(finding.Outcome)}";

    /// <summary>A confidence that is not known reaches nothing.</summary>
    static bool Reaches(Finding finding, Escalation line) => finding.Outcome is Outcome.Pass or Outcome.Fail && finding.Confidence >= line.Below;

    JudgeQuestion Question(JudgeModel whom, Examinee examinee, GuidelineSet guidelines, IReadOnlyList<JudgeExample> examples, int seat)
    {
        var (text, input, reference) = (examinee.Text!, InputOf(examinee), ReferenceOf(examinee));
        string[] rules = [.. settings.Rules, .. guidelines.Texts];
        var messages = JudgePrompt.Write(context.Criterion, rules, context.Subject, text, input, examples, services.NewFence, reference);
        // Two bytes a token is on the safe side for prose in any language.
        var tokens = messages.Sum(message => (long)Encoding.UTF8.GetByteCount(message.Text)) / 2 + 500;
        var expected = services.Price?.Invoke(whom.Id, new() { InputTokenCount = tokens, OutputTokenCount = settings.MaxOutputTokens }) ?? 0;
        string[] content =
        [
            context.Criterion, string.Join('\n', rules.Select(rule => $"{rule.Length}:{rule}")), Wire.Name(context.Subject), text, input is null ? "" : "+" + input,
            $"{seat}", .. examples.SelectMany(example => (string[])[example.Text, example.Passed ? "pass" : "fail", example.Critique ?? ""]),
            // Examples come in threes: one more is no example.
            .. reference is null ? [] : (string[])[reference],
        ];
        return new(
            context.Project, context.MetricName, examinee.Span?.Id, whom, messages, content, settings.Temperature, settings.MaxOutputTokens, expected);
    }

    public double ExpectedCostUsd(Examinee examinee)
    {
        if (services.Price is not { } price || WithoutCall(examinee) is not null)
            return 0;
        // Three bytes a token is on the safe side; examples are taken to be as long as the text.
        long text = Encoding.UTF8.GetByteCount(examinee.Text!);
        long bytes = 2_000 + Encoding.UTF8.GetByteCount(context.Criterion) + settings.Rules.Sum(Encoding.UTF8.GetByteCount)
            + Encoding.UTF8.GetByteCount(InputOf(examinee) ?? "") + Encoding.UTF8.GetByteCount(ReferenceOf(examinee) ?? "") + text * (HasExamples ? settings.Examples + 1 : 1);
        return price(model.Id, new() { InputTokenCount = bytes / 3, OutputTokenCount = settings.MaxOutputTokens });
    }

    public Finding? WithoutCall(Examinee examinee)
    {
        if (examinee.Text is not { } text)
            return TextValidator.NothingToCheck(context.Subject, examinee);
        var length = text.Length + (InputOf(examinee)?.Length ?? 0) + (ReferenceOf(examinee)?.Length ?? 0);
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

    string? ReferenceOf(Examinee examinee) =>
        settings.Reference is { } path ? AttributeText.At(examinee.Span?.Content.Attributes, path).Text : null;

    string VersionOf(string pool, GuidelineSet guidelines)
    {
        if (_current is { } current && current.Pool == pool && current.Guidelines == guidelines.Version)
            return current.Version;
        var parts = new[] { settingsVersion, context.Criterion, Wire.Name(context.Subject), $"{JudgePrompt.TemplateVersion}", model.Name ?? "", model.Id ?? "", Wire.Name(model.Structured), escalation?.Model.Id ?? "", guidelines.Version, pool };
        var version = "judge-" + ValidatorKind.Hash(string.Join("\n", parts.Select(part => $"{part.Length}:{part}")));
        _current = new(pool, guidelines.Version, version);
        return version;
    }

    sealed record Known(string Pool, string Guidelines, string Version);
}
