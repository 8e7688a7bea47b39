using Flywheel.Core.Retrieval;

namespace Flywheel.Tests.Retrieval;

public class RetrievalPolicyTests
{
    [Fact]
    public void A_value_out_of_range_names_itself()
    {
        Refuses(nameof(RetrievalPolicy.Count), () => new() { Count = 101 });
        Refuses(nameof(RetrievalPolicy.Count), () => new() { Count = -1 });
        Refuses(nameof(RetrievalPolicy.HalfLife), () => new() { HalfLife = TimeSpan.Zero });
        Refuses(nameof(RetrievalPolicy.SimilarityExponent), () => new() { SimilarityExponent = 0 });
        Refuses(nameof(RetrievalPolicy.DisagreementWeight), () => new() { DisagreementWeight = double.NaN });
        Refuses(nameof(RetrievalPolicy.DiversityWeight), () => new() { DiversityWeight = -0.1 });
        Refuses(nameof(RetrievalPolicy.CoverageWeight), () => new() { CoverageWeight = 3 });
        Refuses(nameof(RetrievalPolicy.SupportWeight), () => new() { SupportWeight = 11 });
        Refuses(nameof(RetrievalPolicy.MinimumSimilarity), () => new() { MinimumSimilarity = 1.1 });
        Refuses(nameof(RetrievalPolicy.MinimumPerLabel), () => new() { MinimumPerLabel = -1 });
        Refuses(nameof(RetrievalPolicy.MaximumPerLabel), () => new() { MaximumPerLabel = 0 });
        Refuses(nameof(RetrievalPolicy.MaximumPerEndUser), () => new() { MaximumPerEndUser = 0 });
    }

    [Fact]
    public void Strategies_go_by_their_wire_names()
    {
        string[] names = ["similar", "similar-fixed", "both", "recent"];

        Assert.Equal(names, Enum.GetValues<RetrievalStrategy>().Select(strategy => strategy.WireName()));
        Assert.Equal(Enum.GetValues<RetrievalStrategy>().Cast<RetrievalStrategy?>(), names.Select(RetrievalStrategies.Parse));
        Assert.Null(RetrievalStrategies.Parse("Similar"));
        Assert.Null(RetrievalStrategies.Parse(null));
    }

    private static void Refuses(string name, Func<RetrievalPolicy> make) =>
        Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(() => make()).ParamName);
}
