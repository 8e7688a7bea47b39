using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Retrieval;

/// <summary>A retrieval policy as people write it: only what differs from the default.</summary>
/// <param name="Strategy"><c>similar</c>, <c>similar-fixed</c>, <c>both</c> or <c>recent</c>.</param>
/// <param name="HalfLifeDays">Days since approval after which an example counts half; 0 means that age does not matter.</param>
public sealed record RetrievalSettings(
    string? Strategy = null, int? K = null, double? HalfLifeDays = null, double? DisagreementWeight = null, double? DiversityWeight = null,
    double? CoverageWeight = null, double? MinSimilarity = null, int? MaxPerEndUser = null);

/// <summary>Reads and checks retrieval policies, naming the setting that cannot work.</summary>
public static class RetrievalPolicies
{
    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    public static RetrievalPolicy Parse(string json) => From(ReadSettings(json));

    public static RetrievalSettings ReadSettings(string json) => JsonSerializer.Deserialize<RetrievalSettings>(json, Json)!;

    /// <summary>Every setting of a policy, defaults included.</summary>
    public static RetrievalSettings Describe(RetrievalPolicy policy) => new(
        policy.Strategy.WireName(), policy.Count, policy.HalfLife?.TotalDays ?? 0, policy.DisagreementWeight, policy.DiversityWeight,
        policy.CoverageWeight, policy.MinimumSimilarity, policy.MaximumPerEndUser ?? 0);

    public static string Write(RetrievalSettings settings) => JsonSerializer.Serialize(settings, Json);

    /// <exception cref="FlywheelException">A setting is out of range; the message names it.</exception>
    public static RetrievalPolicy From(RetrievalSettings settings)
    {
        var policy = Override(RetrievalPolicy.Default, settings.Strategy, settings.K);
        policy = Set("half_life_days", settings.HalfLifeDays, policy, (it, days) =>
            it with { HalfLife = days == 0 ? null : TimeSpan.FromDays(days) });
        policy = Set("disagreement_weight", settings.DisagreementWeight, policy, (it, weight) => it with { DisagreementWeight = weight });
        policy = Set("diversity_weight", settings.DiversityWeight, policy, (it, weight) => it with { DiversityWeight = weight });
        policy = Set("coverage_weight", settings.CoverageWeight, policy, (it, weight) => it with { CoverageWeight = weight });
        policy = Set("min_similarity", settings.MinSimilarity, policy, (it, least) => it with { MinimumSimilarity = least });
        return Set("max_per_end_user", settings.MaxPerEndUser, policy, (it, most) =>
            it with { MaximumPerEndUser = most == 0 ? null : most });
    }

    /// <summary>The policy with a caller's own strategy and number.</summary>
    public static RetrievalPolicy Override(RetrievalPolicy policy, string? strategy, int? k)
    {
        if (strategy is not null)
            policy = policy with
            {
                Strategy = RetrievalStrategies.Parse(strategy)
                    ?? throw new FlywheelException($"`strategy` is `{strategy}`: use similar, similar-fixed, both or recent."),
            };
        return Set("k", k, policy, (it, count) => it with { Count = count });
    }

    static RetrievalPolicy Set<T>(string name, T? value, RetrievalPolicy policy, Func<RetrievalPolicy, T, RetrievalPolicy> apply)
        where T : struct
    {
        if (value is not { } given)
            return policy;
        try
        {
            return apply(policy, given);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new FlywheelException($"`{name}` is {given}, out of its range: {e.Message.Split('(')[0].Trim().ToLowerInvariant()}", e);
        }
    }
}
