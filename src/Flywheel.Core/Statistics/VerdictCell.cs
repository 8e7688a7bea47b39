namespace Flywheel.Core.Statistics;

/// <summary>Traffic that one verdict fell on, with what people said of a part of it.</summary>
/// <param name="Verdict">The judge's pass or fail; null where it gave none that could be read.</param>
/// <param name="Stratum">The slice of traffic; null when all traffic is one.</param>
/// <param name="Judged">All rows with this verdict, labelled or not.</param>
/// <param name="Passes">Labelled passes; a weighted sample gives its effective number.</param>
/// <param name="Fails">Labelled fails, likewise.</param>
public readonly record struct VerdictCell(bool? Verdict, string? Stratum, long Judged, double Passes, double Fails)
{
    /// <summary>Adds up cells of one verdict, whatever their stratum.</summary>
    public static VerdictCell Pool(bool? verdict, IEnumerable<VerdictCell> cells) => cells.Aggregate(
        new VerdictCell(verdict, null, 0, 0, 0),
        (sum, cell) => sum with { Judged = sum.Judged + cell.Judged, Passes = sum.Passes + cell.Passes, Fails = sum.Fails + cell.Fails });
}
