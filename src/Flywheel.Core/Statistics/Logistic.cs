namespace Flywheel.Core.Statistics;

/// <summary>Probabilities and their log-odds.</summary>
public static class Logistic
{
    public static double Share(double odds) => odds >= 0 ? 1 / (1 + Math.Exp(-odds)) : Math.Exp(odds) / (1 + Math.Exp(odds));

    /// <summary>Log-odds, with 0 and 1 moved in by <paramref name="edge"/>: a model that says "certain" is not infinitely so.</summary>
    public static double LogOdds(double share, double edge = 1e-4)
    {
        var inside = Math.Clamp(share, edge, 1 - edge);
        return Math.Log(inside / (1 - inside));
    }
}
