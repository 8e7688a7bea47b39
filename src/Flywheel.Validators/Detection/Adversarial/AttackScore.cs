namespace Flywheel.Validators.Detection.Adversarial;

/// <param name="LogOdds">Beyond the threshold: 0 and more says attack.</param>
/// <param name="Reasons">In words, strongest first; empty when nothing but the wording speaks.</param>
sealed record AttackScore(double LogOdds, IReadOnlyList<string> Reasons)
{
    /// <summary>In (0, 1); 0.5 is the threshold.</summary>
    public double Score => 1 / (1 + Math.Exp(-LogOdds));
}

/// <summary>
/// The layers of one text: what hides in its characters, its structure, its wording; each reading counts, the worst decides.
/// </summary>
sealed class AttackScoring(AttackModel model, IReadOnlySet<string> off)
{
    // A sentence of attack in a long ordinary text is diluted by the rest: so long texts are also read in windows.
    const int WindowWords = 60;
    const int MaxWindows = 40;

    // The worst of many windows is high by chance; what a window needs beyond the whole.
    const double WindowHandicap = 1.5;

    public AttackScore Score(string text)
    {
        var plain = Unmasked.Of(text, out var disguise);
        var worst = Read(plain, 0, []);
        if (OtherReadings.Respelt(plain) is { } respelt)
            worst = Worse(worst, Read(respelt, 0.5, ["letters set apart or replaced by digits"]));
        if (OtherReadings.Decoded(text, out var share) is { } decoded)
            worst = Worse(worst, Read(decoded.ToLowerInvariant(), 1, [$"base64 that reads as words ({share:P0} of the text)"]));
        var (weight, tricks) = Tricks(disguise);
        return tricks.Count == 0 ? worst : new(worst.LogOdds + weight, [.. tricks, .. worst.Reasons]);
    }

    AttackScore Read(string text, double bonus, IReadOnlyList<string> because)
    {
        var rules = AttackRules.Matching(text).Where(rule => !off.Contains(rule.Id)).OrderByDescending(rule => rule.Weight).ToArray();
        var wording = Wording(text) - model.Threshold;
        // Rules overlap: the strongest counts whole, the others half.
        var structure = rules.Length == 0 ? 0 : rules[0].Weight + 0.5 * rules.Skip(1).Sum(rule => rule.Weight);
        var odds = Math.Max(wording, -6) + structure + bonus;
        return new(odds, [.. because, .. rules.Select(rule => $"{rule.Reason} ({rule.Id})")]);
    }

    double Wording(string text)
    {
        var whole = model.Classifier.LogOdds(text);
        foreach (var window in Windows(text))
            whole = Math.Max(whole, model.Classifier.LogOdds(text.AsSpan()[window]) - WindowHandicap);
        return whole;
    }

    /// <summary>
    /// Stretches of <see cref="WindowWords"/> words, each beginning in the middle of the one before; none for a short text.
    /// </summary>
    static IEnumerable<Range> Windows(string text)
    {
        var starts = new List<int>();
        for (var i = 0; i < text.Length; i++)
            if (!char.IsWhiteSpace(text[i]) && (i == 0 || char.IsWhiteSpace(text[i - 1])))
                starts.Add(i);
        if (starts.Count <= WindowWords)
            yield break;
        var step = Math.Max(WindowWords / 2, starts.Count / MaxWindows);
        for (var at = 0; at < starts.Count - WindowWords / 2; at += step)
            yield return starts[at]..(at + WindowWords < starts.Count ? starts[at + WindowWords] : text.Length);
    }

    static AttackScore Worse(AttackScore a, AttackScore b) => b.LogOdds > a.LogOdds ? b : a;

    static (double, List<string>) Tricks(Disguise disguise)
    {
        var weight = 0.0;
        var reasons = new List<string>();
        void Add(int count, int from, double worth, string what)
        {
            if (count < from)
                return;
            weight += worth;
            reasons.Add($"{count} {what}");
        }
        Add(disguise.Tags, 4, AttackRules.Alone + 2, "invisible tag characters that spell a hidden text");
        Add(disguise.Invisible, 3, 4, "invisible characters between letters");
        Add(disguise.Reversals, 1, 4, "overrides of the writing direction");
        Add(disguise.Lookalikes, 2, 5, "words with letters of another alphabet that look Latin");
        Add(disguise.Styled, 12, 2.5, "letters in mathematical, enclosed or full-width dress");
        Add(disguise.Stacked, 6, 3, "stacked combining marks");
        return (weight, reasons);
    }
}
