using System.Text.Json.Serialization;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>What a search would do.</summary>
/// <param name="Missing">About how many more labels are needed first; 0 when there are enough.</param>
/// <param name="Candidates">Names, the present judge first.</param>
/// <param name="Calls">Model calls at most; answers that are kept are not asked for again.</param>
/// <param name="CostUsd">Of these calls, at most.</param>
public sealed record AlignmentOutlook(
    string Metric, int MetricVersion, int Labels, int Fit, int HeldOut, int Tested, int Missing, IReadOnlyList<string> Candidates,
    int Calls, double CostUsd, IReadOnlyList<string> Notes)
{
    /// <summary>What to do first; null if there are enough labels.</summary>
    [JsonIgnore]
    public string? NotEnough => Missing == 0
        ? null
        : $"not enough labels: about {Missing} more blind labels of `{Metric}` "
            + $"(there are {Labels}, of which {Tested} of the later half compare judges fairly)";
}
