using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>The classic correction of a judge's pass rate by its TPR and TNR, for comparison only.</summary>
/// <remarks>Rogan and Gladen 1978, with the delta-method interval; labelled rows give TPR and TNR, the other rows the judge's rate.</remarks>
static class RoganGladen
{
    public static Estimate Of(IReadOnlyList<JudgedRow> rows)
    {
        double goods = 0.5, hits = 0.25, bads = 0.5, rightFails = 0.25, others = 0, passed = 0;
        foreach (var row in rows)
        {
            if (row.Human == true)
                (goods, hits) = (goods + 1, hits + (row.Judge == true ? 1 : 0));
            else if (row.Human == false)
                (bads, rightFails) = (bads + 1, rightFails + (row.Judge == false ? 1 : 0));
            else
                (others, passed) = (others + 1, passed + (row.Judge == true ? 1 : 0));
        }
        double tpr = hits / goods, tnr = rightFails / bads, rate = passed / others, youden = tpr + tnr - 1;
        if (youden <= 0.01)
            return new Estimate(0.5, 0, 1);
        var mean = (rate + tnr - 1) / youden;
        var variance = (rate * (1 - rate) / others + mean * mean * tpr * (1 - tpr) / goods + (1 - mean) * (1 - mean) * tnr * (1 - tnr) / bads)
            / (youden * youden);
        var margin = 1.959964 * Math.Sqrt(variance);
        return new Estimate(Math.Clamp(mean, 0, 1), Math.Clamp(mean - margin, 0, 1), Math.Clamp(mean + margin, 0, 1));
    }
}
