using Flywheel.Core.Detection;

namespace Flywheel.Validators.Detection.Adversarial;

/// <summary>A row to learn from.</summary>
public sealed record AttackRow(string Text, bool IsAttack, string Source);

/// <summary>Makes an <see cref="AttackModel"/> from attacks, ordinary texts and the sentences of <see cref="AttackFamilies"/>.</summary>
public static class AttackTraining
{
    /// <summary>Nominal share of ordinary training texts beyond the threshold.</summary>
    public const double FalseAlarms = 0.001;

    /// <summary>
    /// The threshold is set on every fifth ordinary row, which the weights have not seen; then all rows are learned from.
    /// </summary>
    /// <param name="families">Draws of each template; 0 leaves the families out.</param>
    /// <param name="sources">See <see cref="AttackModel.Sources"/>.</param>
    /// <exception cref="ArgumentException">There are no attacks, or fewer than 200 ordinary texts.</exception>
    public static AttackModel Train(IReadOnlyList<AttackRow> rows, string sources, int families = 120, int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var ordinary = rows.Where(row => !row.IsAttack).ToArray();
        if (ordinary.Length < 200)
            throw new ArgumentException(
                $"There are {ordinary.Length} ordinary texts; give at least 200 so that false alarms can be held down.", nameof(rows));
        var drawn = AttackFamilies.Draw(families, seed).Select(draw => new AttackRow(draw.Text, draw.IsAttack, "families")).ToArray();
        AttackRow[] all = [.. rows, .. drawn];

        var kept = ordinary.Where((_, i) => i % 5 == 4).ToHashSet();
        var trial = Learn([.. all.Where(row => !kept.Contains(row))], seed);
        var scores = kept.Select(row => trial.LogOdds(Unmasked.Of(row.Text, out _))).Order().ToArray();
        var threshold = scores[Math.Min(scores.Length - 1, (int)Math.Ceiling((1 - FalseAlarms) * scores.Length) - 1)];
        return new(Learn(all, seed), Math.Max(threshold, -1), sources);
    }

    static HashedClassifier Learn(IReadOnlyList<AttackRow> rows, int seed)
    {
        // Attacks and ordinary texts weigh alike in sum; each source of attacks by the root of its size, so that none drowns the others.
        var bySource = rows.Where(row => row.IsAttack).GroupBy(row => row.Source)
            .ToDictionary(group => group.Key, group => 1 / MathF.Sqrt(group.Count()));
        var attackMass = rows.Where(row => row.IsAttack).Sum(row => bySource[row.Source]);
        var ordinary = rows.Count(row => !row.IsAttack);
        var texts = rows.Select(row => new TrainingText(
            Unmasked.Of(row.Text, out _), row.IsAttack, row.IsAttack ? bySource[row.Source] * ordinary / attackMass / 2 : 1)).ToArray();
        return ClassifierTraining.Train(texts, seed: (ulong)seed);
    }
}
