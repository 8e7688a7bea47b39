using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>A judge that is tried: what differs from the present one.</summary>
/// <param name="Examples">How many labelled texts it is shown; null for as many as now.</param>
/// <param name="Guidelines">With rules distilled from labels besides the approved ones.</param>
/// <param name="Reference">Attribute with a reference answer; null for as now.</param>
sealed record JudgeCandidate(string Name, int? Examples = null, bool Guidelines = false, string? Reference = null)
{
    static readonly int[] Counts = [2, 4, 8];

    public static JudgeCandidate Present { get; } = new("present");

    public bool ChangesSettings => Examples is not null || Reference is not null;

    /// <param name="examples">How many the present judge is shown.</param>
    /// <param name="hasPool">There are approved examples to show.</param>
    /// <param name="canDistil">There is a model that can write rules.</param>
    public static IReadOnlyList<JudgeCandidate> All(int examples, bool hasPool, bool canDistil, string? reference)
    {
        var counts = hasPool ? Counts.Where(count => count != examples).ToArray() : [];
        return
        [
            Present,
            .. canDistil ? (JudgeCandidate[])[new("guidelines", Guidelines: true)] : [],
            // Examples must earn their place: none at all is tried too.
            .. hasPool && examples > 0 ? (JudgeCandidate[])[new("no examples", 0)] : [],
            .. counts.Select(count => new JudgeCandidate($"{count} examples", count)),
            .. canDistil ? counts.Select(count => new JudgeCandidate($"guidelines and {count} examples", count, Guidelines: true)) : [],
            .. reference is null ? [] : (JudgeCandidate[])[new("reference", Reference: reference)],
        ];
    }

    /// <summary>The metric's validator with what this candidate changes.</summary>
    public ValidatorSpec Of(ValidatorSpec present)
    {
        var settings = present.Settings.ValueKind == JsonValueKind.Object ? JsonObject.Create(present.Settings)! : [];
        if (Examples is { } count)
            settings["examples"] = count;
        if (Reference is { } path)
            settings["reference"] = path;
        return present with { Settings = JsonSerializer.SerializeToElement(settings) };
    }
}
