namespace Flywheel.Core.Statistics;

/// <summary>Thresholds for judges that are asked in turn, cheapest first; what none of them is sure of goes to a person.</summary>
/// <param name="Stages">One threshold a judge.</param>
/// <param name="Settled">Of the labelled items, the share that each judge settled.</param>
/// <remarks>
/// Each judge promises with delta / judges, so that all promises together hold with 1 - delta, and is calibrated on what the judges
/// before it passed on, since that is what it will see. Which items those are depends on the earlier judges' labels only through their
/// thresholds, one of a fixed list.
/// </remarks>
public sealed record JudgeCascade(IReadOnlyList<SelectiveThreshold> Stages, IReadOnlyList<double> Settled)
{
    /// <param name="items">For each item, each judge's confidence and whether a person agreed with that judge's verdict; cheapest
    /// first.</param>
    public static JudgeCascade Of(IReadOnlyList<IReadOnlyList<(double Confidence, bool Agreed)>> items, double alpha, double delta)
    {
        var judges = items.Count == 0 ? 0 : items[0].Count;
        if (judges == 0 || items.Any(item => item.Count != judges))
            throw new ArgumentException("Each item needs the verdict of every judge.", nameof(items));
        var stages = new List<SelectiveThreshold>(judges);
        var settled = new List<double>(judges);
        var left = items;
        for (var judge = 0; judge < judges; judge++)
        {
            var stage = SelectiveThreshold.Of([.. left.Select(item => item[judge])], alpha, delta / judges);
            var passedOn = left.Where(item => !(item[judge].Confidence >= stage.Threshold)).ToArray();
            stages.Add(stage);
            settled.Add((double)(left.Count - passedOn.Length) / items.Count);
            left = passedOn;
        }
        return new JudgeCascade(stages, settled);
    }

    /// <returns>Index of the first judge whose confidence settles the item; null sends it to a person.</returns>
    public int? Settles(IReadOnlyList<double> confidences)
    {
        for (var judge = 0; judge < Stages.Count; judge++)
            if (confidences[judge] >= Stages[judge].Threshold)
                return judge;
        return null;
    }
}
