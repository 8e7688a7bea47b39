using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Metrics;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public class MetricCheckTests
{
    static readonly NewMetric Good = new(
        "short-enough", "Is the answer short enough?", MetricSubject.Output, null, null, 1, new("length", Json("""{"max":400}""")), "ann");

    static IReadOnlyList<MetricProblem> Problems(NewMetric metric) => MetricCheck.Problems(metric, EngineValidators.Registry());

    [Fact]
    public void A_sound_metric_has_no_problem() =>
        Assert.Empty(Problems(Good with { Nodes = ["writer"], Kinds = [NodeKind.Writer], Sampling = 0.1 }));

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("Upper")]
    [InlineData("with space")]
    [InlineData("ümlaut")]
    [InlineData("a/b")]
    [InlineData(null)]
    public void A_name_outside_the_pattern_is_a_problem(string? name) =>
        Assert.Equal("name", Assert.Single(Problems(Good with { Name = name! })).Field);

    [Fact]
    public void A_name_of_100_characters_is_the_longest()
    {
        Assert.Empty(Problems(Good with { Name = new('a', 100) }));
        Assert.Single(Problems(Good with { Name = new('a', 101) }));
    }

    [Fact]
    public void Each_field_is_checked_and_all_problems_come_at_once()
    {
        var problems = Problems(Good with
        {
            Name = "A", Criterion = " ", Sampling = double.NaN, Nodes = ["a\u0001"], Kinds = [], Validator = new("lenght", Json("{}")),
        });

        Assert.Equal(["name", "criterion", "sampling", "nodes", "kinds", "validator.kind"], problems.Select(problem => problem.Field));
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.PositiveInfinity)]
    public void Sampling_is_a_share(double sampling) =>
        Assert.Equal("sampling", Assert.Single(Problems(Good with { Sampling = sampling })).Field);

    [Fact]
    public void A_kind_of_node_that_the_validator_cannot_check_is_a_problem()
    {
        var metric = Good with { Validator = new("one-of", Json("""{"values":["a"]}""")), Kinds = [NodeKind.Classifier, NodeKind.Writer] };

        var problem = Assert.Single(Problems(metric));

        Assert.Equal("kinds", problem.Field);
        Assert.Equal("`one-of` cannot check writer nodes, only `other`, `classifier`, `codegen`, `retriever` and `tool`.", problem.Message);
    }

    [Fact]
    public void A_wrong_setting_is_named_as_the_wire_names_it()
    {
        var problem = Assert.Single(Problems(Good with { Validator = new("length", Json("""{"max":-1}""")) }));

        Assert.Equal("validator.max", problem.Field);
    }
}
