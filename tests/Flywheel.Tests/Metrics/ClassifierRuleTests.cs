using Flywheel.Core.Metrics;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public class ClassifierRuleTests
{
    const string Rules = """{"rules":[{"class":"billing","words":["bill","payment"]},{"class":"delivery","words":["parcel"],"pattern":"where is my (order|box)"}]}""";

    [Theory]
    [InlineData("I was BILLED twice", "billing", Outcome.Pass)]
    [InlineData("I was billed twice", " Billing ", Outcome.Pass)]
    [InlineData("two payments", "delivery", Outcome.Fail)]
    [InlineData("Where is my box?", "general", Outcome.Fail)]
    [InlineData("the billboard", "general", Outcome.Skipped)]
    [InlineData("payment for my parcel", "billing", Outcome.Unsure)]
    public void The_answer_is_held_against_the_rules_that_apply(string input, string output, Outcome expected) =>
        Assert.Equal(expected,
            Check("classifier.rule", Rules, output, NewSpan(output) with { Input = input, Kind = Core.Traces.NodeKind.Classifier })
                .Outcome);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"rules":[]}""")]
    [InlineData("""{"rules":[{"class":"a"}]}""")]
    [InlineData("""{"rules":[{"words":["a"]}]}""")]
    [InlineData("""{"rules":["a"]}""")]
    [InlineData("""{"rules":[{"class":"a","words":["x"],"wrods":["y"]}]}""")]
    [InlineData("""{"rules":[{"class":"a","pattern":"(x)\\1"}]}""")]
    public void Rules_that_cannot_work_are_refused(string settings) => Assert.Equal("rules", Refused("classifier.rule", settings).Setting);
}
