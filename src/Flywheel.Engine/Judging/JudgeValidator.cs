using System.Text;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Judging;

/// <summary>
/// Asks a model, or several times with different examples, about a text; what is too uncertain goes to a stronger one, or to a person.
/// </summary>
/// <param name="models">The judge, and those of its cascade after it.</param>
/// <param name="second">Asked beside the first; its word is a feature.</param>
/// <param name="guarantee">Null promises nothing and shows what could be promised.</param>
sealed class JudgeValidator(
    string settingsVersion, ValidatorContext context, JudgeSettings settings, IReadOnlyList<JudgeModel> models, Escalation? escalation,
    JudgeModel? second,
    GuaranteeSetting? guarantee, JudgeServices services)
    : ISelfPayingValidator, ICalibratedValidator
{
    const string NoPool = "none";

    readonly JudgeCalls _calls = new(services);
    readonly JudgeModel model = models[0];
    KnownVersion? _current;

    public GuaranteeSetting Guarantee { get; } = guarantee ?? GuaranteeSetting.Unasked;

    public CalibrationPlan Plan { get; } = new(
        [.. models.Concat(escalation is null ? [] : [escalation.Model]).Select(each => NameOf(each))],
        (guarantee ?? GuaranteeSetting.Unasked).Alpha, (guarantee ?? GuaranteeSetting.Unasked).Delta, second is not null,
        escalation?.Below);

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
                context.Project!.Value, context.MetricName, examinee.Text!,
                settings.Annotators > 1 ? 2 * settings.Examples : settings.Examples,
                examinee.Span?.Id, ct)
            : new JudgeExamples(NoPool, []);
        return new(await JudgeAsync(examinee, guidelines, pool.Examples, ct), VersionOf(pool.PoolVersion, guidelines));
    }

    async Task<Finding> JudgeAsync(Examinee examinee, GuidelineSet guidelines, IReadOnlyList<JudgeExample> pool, CancellationToken ct)
    {
        var shown = new List<Guid>();
        var (said, exhausted) = await AskAsync(model, settings.Annotators, examinee, guidelines, pool, shown, ct);
        if (said is null)
            return Finding.Skipped(exhausted!);
        if (said.Outcome == Outcome.Error)
            return said with { Demonstrations = shown };

        var judge = JudgeOf(guidelines);
        var inForce = services.Calibrations is { } known
            && context.Stored is { } metric ? await known.CurrentAsync(metric, judge, ct) : null;
        var cost = said.CostUsd;
        var (agrees, paid) = await AskSecondAsync(said, examinee, guidelines, pool, ct);
        cost += paid;
        var trail = new JudgeTrail(judge, LengthOf(examinee), [new(NameOf(model), said.Outcome, said.RawConfidence, agrees(said.Outcome))]);
        var story = escalation is null ? $"the judge {Sure(said)}" : Said(said);
        for (var stage = 0; ; stage++)
        {
            var word = trail.Words[^1];
            var calibrated = inForce?.Calibration?.Judges.ElementAtOrDefault(stage);
            said = said with
            {
                Confidence = word.Outcome is Outcome.Pass or Outcome.Fail
                    ? calibrated?.Probability(word, trail.Length, second is not null) : null,
                Stands = inForce is { Withdrawn: false }
                    && word.Outcome is Outcome.Pass or Outcome.Fail ? calibrated?.IsAbove(word, trail.Length, second is not null) : null,
            };
            if (NextOf(stage, said) is not { } next)
                return End(AtLast(stage, said, calibrated, story));
            var (answer, limit) = await AskAsync(
                next, escalation is null ? settings.Annotators : 1, examinee, guidelines, pool, escalation is null ? shown : [], ct);
            if (answer is null)
            {
                trail = trail with { Words = [.. trail.Words, new(NameOf(next), Outcome.Skipped, null)] };
                return End(ForAPerson(said, $"{story}, and a stronger judge could not be asked: {limit}"));
            }
            said = answer;
            cost += said.CostUsd;
            trail = trail with { Words = [.. trail.Words, new(NameOf(next), said.Outcome, said.RawConfidence, agrees(said.Outcome))] };
            story += $", {next.Name} {(escalation is null ? Sure(said) : Said(said))}";
            if (said.Outcome == Outcome.Error)
                return End(ForAPerson(said, $"{story}: {said.Reason}"));
        }

        Finding End(Finding finding) => finding with { CostUsd = cost, Demonstrations = shown, Trail = trail };
    }

    /// <summary>Who is asked next; null when this answer is the last.</summary>
    JudgeModel? NextOf(int stage, Finding said) =>
        escalation is { } fix ? stage == 0 && !Reaches(said, fix) ? fix.Model : null
        : stage + 1 < models.Count && (said.Outcome == Outcome.Unsure || said.Stands == false) ? models[stage + 1]
        : null;

    /// <param name="story">What all judges said.</param>
    Finding AtLast(int stage, Finding said, CalibratedJudge? calibrated, string story)
    {
        if (escalation is { } fix)
            // A stronger judge that names no confidence is taken at its word.
            return stage == 0 || said is { RawConfidence: null, Outcome: not Outcome.Unsure } || Reaches(said, fix)
                ? said
                : ForAPerson(said, $"{story}: {said.Reason}");
        // Where no level of confidence is good enough, all verdicts would go to people: they keep their verdicts, and the summary says why.
        if (said.Stands != false || Guarantee.Below == BelowLine.Nothing || calibrated is null or { IsHopeless: true })
            return said;
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        var chance = said.Confidence is { } agreed
            ? string.Create(invariant, $"people agree with about {agreed:0%} of such verdicts, and ") : "";
        return ForAPerson(said, string.Create(invariant, $"{story}; {chance}{1 - Guarantee.Alpha:0.#%} is promised above the line"));
    }

    /// <summary>One judge's verdict by the vote of its seats; null with the exhausted limit when it could not be asked at all.</summary>
    async Task<(Finding? Said, string? Exhausted)> AskAsync(
        JudgeModel whom, int seats, Examinee examinee, GuidelineSet guidelines, IReadOnlyList<JudgeExample> pool, List<Guid> shown,
        CancellationToken ct)
    {
        var panel = new Panel(seats);
        string? exhausted = null;
        for (var seat = 0; seat < seats && !panel.IsDecided; seat++)
        {
            var examples = seats > 1
                ? Panel.Examples(pool, settings.Examples, examinee.Text!, seat) : [.. pool.TakeLast(settings.Examples)];
            shown.AddRange(examples.Select(example => example.Id).Where(id => !shown.Contains(id)));
            try
            {
                panel.Add(await _calls.AskAsync(Question(whom, examinee, guidelines, examples, seat), ct));
            }
            catch (BudgetExhaustedException error)
            {
                exhausted = error.Message;
                break;
            }
        }
        return panel.Answers.Count == 0 ? (null, exhausted) : (panel.Finding(), null);
    }

    /// <returns>The second judge's confidence in a verdict, below 0 where it said the opposite and 0 where it could not tell or be
    /// asked.</returns>
    async Task<(Func<Outcome, double?> Agrees, double CostUsd)> AskSecondAsync(
        Finding said, Examinee examinee, GuidelineSet guidelines, IReadOnlyList<JudgeExample> pool, CancellationToken ct)
    {
        if (second is null)
            return (_ => null, 0);
        // Without a verdict there is nothing to agree with, unless the next judge has one.
        if (said.Outcome == Outcome.Unsure && models.Count == 1)
            return (_ => 0, 0);
        var (other, _) = await AskAsync(second, 1, examinee, guidelines, pool, [], ct);
        return (verdict => other is not { Outcome: Outcome.Pass or Outcome.Fail } || verdict is not (Outcome.Pass or Outcome.Fail)
            ? 0
            : (other.Outcome == verdict ? 1 : -1) * (other.RawConfidence ?? 1), other?.CostUsd ?? 0);
    }

    double LengthOf(Examinee examinee) =>
        InputOf(examinee) is { } input ? Math.Abs(Math.Log((1.0 + examinee.Text!.Length) / (1.0 + input.Length))) : 0;

    static string? NameOf(JudgeModel whom) => whom.Name ?? whom.Id;

    static Finding ForAPerson(Finding finding, string why) =>
        finding with { Outcome = Outcome.Unsure, Confidence = null, Reason = "for a person: " + why };

    /// <summary>How sure, but not of what: whoever is asked then should not be told.</summary>
    static string Sure(Finding finding) => finding.RawConfidence is { } confidence
        ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"gave a confidence of {confidence:0.##}")
        : "named no confidence";

    static string Said(Finding finding) => finding.RawConfidence is { } confidence
        ? string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"said {Wire.Name(finding.Outcome)} with confidence {confidence:0.##}")
        : $"said {Wire.Name(finding.Outcome)}";

    /// <summary>A confidence that is not known reaches nothing.</summary>
    static bool Reaches(Finding finding, Escalation line) =>
        finding.Outcome is Outcome.Pass or Outcome.Fail && finding.RawConfidence >= line.Below;

    JudgeQuestion Question(JudgeModel whom, Examinee examinee, GuidelineSet guidelines, IReadOnlyList<JudgeExample> examples, int seat)
    {
        var (text, input, reference) = (examinee.Text!, InputOf(examinee), ReferenceOf(examinee));
        string[] rules = [.. settings.Rules, .. guidelines.Texts];
        var messages = JudgePrompt.Write(context.Criterion, rules, context.Subject, text, input, examples, services.NewFence, reference);
        // Two bytes a token is on the safe side for prose in any language.
        var tokens = messages.Sum(message => (long)Encoding.UTF8.GetByteCount(message.Text)) / 2 + 500;
        var expected = services.Price?.Invoke(whom.Id, new() { InputTokenCount = tokens, OutputTokenCount = settings.MaxOutputTokens })
            ?? 0;
        string[] content =
        [
            context.Criterion, string.Join('\n', rules.Select(rule => $"{rule.Length}:{rule}")), Wire.Name(context.Subject), text,
            input is null ? "" : "+" + input,
            $"{seat}", .. examples.SelectMany(
                example => (string[])[example.Text, example.Passed ? "pass" : "fail", example.Critique ?? ""]),
            // Examples come in threes: one more is no example.
            .. reference is null ? [] : (string[])[reference],
        ];
        return new(
            context.Project, context.MetricName, examinee.Span?.Id, whom, messages, content, settings.Temperature, settings.MaxOutputTokens,
            expected);
    }

    public double ExpectedCostUsd(Examinee examinee)
    {
        if (services.Price is not { } price || WithoutCall(examinee) is not null)
            return 0;
        // Three bytes a token is on the safe side; examples are taken to be as long as the text.
        long text = Encoding.UTF8.GetByteCount(examinee.Text!);
        long bytes = 2_000 + Encoding.UTF8.GetByteCount(context.Criterion) + settings.Rules.Sum(Encoding.UTF8.GetByteCount)
            + Encoding.UTF8.GetByteCount(InputOf(examinee) ?? "") + Encoding.UTF8.GetByteCount(ReferenceOf(examinee) ?? "")
            + text * (HasExamples ? settings.Examples + 1 : 1);
        return price(model.Id, new() { InputTokenCount = bytes / 3, OutputTokenCount = settings.MaxOutputTokens });
    }

    public Finding? WithoutCall(Examinee examinee)
    {
        if (examinee.Text is not { } text)
            return TextValidator.NothingToCheck(context.Subject, examinee);
        var length = text.Length + (InputOf(examinee)?.Length ?? 0) + (ReferenceOf(examinee)?.Length ?? 0);
        if (length > settings.MaxCharacters)
            return Finding.Skipped($"{length} characters to judge, more than `max_characters` ({settings.MaxCharacters})");
        if (DegenerateAnswers.IsSymbolsOnly(text))
            return Finding.Unsure("the text has no letter or digit, and judges are known to pass such texts whatever was asked");
        // The answer of a classifier may well be the word `solution`.
        return examinee.Span?.Content.Kind != NodeKind.Classifier && DegenerateAnswers.IsOpener(text)
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
        string[] parts = [settingsVersion, context.Criterion, Wire.Name(context.Subject), $"{JudgePrompt.TemplateVersion}",
            model.Name ?? "", model.Id ?? "", Wire.Name(model.Structured), escalation?.Model.Id ?? "", guidelines.Version, pool,
            .. Others()];
        var version = "judge-" + ValidatorKind.Hash(string.Join("\n", parts.Select(part => $"{part.Length}:{part}")));
        _current = new(pool, guidelines.Version, version);
        return version;
    }

    /// <summary>Nothing for a judge that stands alone, whose version stays what it was.</summary>
    IEnumerable<string> Others() =>
        models.Skip(1).Append(second).OfType<JudgeModel>().SelectMany(each => (string[])[each.Name ?? "", each.Id ?? ""]);

    /// <summary>See <see cref="JudgeTrail.Judge"/>.</summary>
    string JudgeOf(GuidelineSet guidelines)
    {
        string[] parts =
        [
            context.Criterion, Wire.Name(context.Subject), $"{JudgePrompt.TemplateVersion}", model.Name ?? "", model.Id ?? "",
            Wire.Name(model.Structured),
            guidelines.Version, .. settings.Rules,
            $"{settings.Examples} {settings.ShowInput} {settings.Annotators} {settings.MaxOutputTokens} {settings.MaxCharacters}",
            settings.Temperature?.ToString("R", System.Globalization.CultureInfo.InvariantCulture) ?? "", second?.Name ?? "",
            second?.Id ?? "",
        ];
        return ValidatorKind.Hash(string.Join("\n", parts.Select(part => $"{part.Length}:{part}")));
    }

    sealed record KnownVersion(string Pool, string Guidelines, string Version);
}
