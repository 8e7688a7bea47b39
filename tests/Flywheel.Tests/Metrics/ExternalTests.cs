using System.Text.Json;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics.Validators;
using Flywheel.Engine.Telemetry;

namespace Flywheel.Tests.Metrics;

public sealed class ExternalTests
{
    [Theory]
    [InlineData("{}", null, 1.0, Outcome.Pass)]
    [InlineData("{}", null, 0.0, Outcome.Fail)]
    [InlineData("{}", null, 0.99, Outcome.Unsure)]
    [InlineData("{}", "PASSED ", 0.0, Outcome.Pass)]
    [InlineData("{}", "incorrect", 1.0, Outcome.Fail)]
    [InlineData("{}", "relevant", null, Outcome.Unsure)]
    [InlineData("""{"pass_labels":["Relevant"]}""", "relevant", null, Outcome.Pass)]
    [InlineData("""{"fail_labels":["yes"]}""", "yes", 1.0, Outcome.Fail)]
    [InlineData("""{"pass_at_least":0.5}""", null, 0.5, Outcome.Pass)]
    [InlineData("""{"pass_at_least":0.5}""", null, 0.49, Outcome.Fail)]
    [InlineData("""{"pass_at_most":0.3}""", null, 1.0, Outcome.Fail)]
    [InlineData("""{"pass_at_least":2,"pass_at_most":4}""", null, 5.0, Outcome.Fail)]
    public void A_result_means_what_the_settings_say_and_is_never_guessed(string settings, string? label, double? score, Outcome expected)
    {
        var said = new SpanEvaluation(
            new("t", "s"), null, "n", EvaluationSource.Model, score, label, "why", null, null, "ragas", false, DateTimeOffset.UnixEpoch);

        var finding = ExternalKind.Decide(new(ValidatorSpec.External, JsonElement.Parse(settings)), said);

        Assert.Equal((expected, score, "ragas"), (finding.Outcome, finding.Score, finding.Model));
        Assert.EndsWith("why", finding.Reason, StringComparison.Ordinal);
        Assert.Equal(Outcome.Error,
            ExternalKind.Decide(new(ValidatorSpec.External, JsonElement.Parse(settings)), said with { Error = "timeout" }).Outcome);
    }

    [Theory]
    [InlineData("relevance", "relevance")]
    [InlineData(" Answer  Relevance (v2) ", "answer-relevance-v2")]
    [InlineData("ns/toxicity", "ns-toxicity")]
    [InlineData("..x", "x")]
    public void Names_of_others_become_names_of_metrics(string sent, string name) => Assert.Equal(name, EvaluationJoining.NameOf(sent));

    [Fact]
    public void Names_that_do_not_fit_keep_apart()
    {
        var (one, two) = (new string('a', 150) + "1", new string('a', 150) + "2");

        Assert.NotEqual(EvaluationJoining.NameOf(one), EvaluationJoining.NameOf(two));
        Assert.InRange(EvaluationJoining.NameOf(one).Length, 1, 100);
        Assert.StartsWith("external-", EvaluationJoining.NameOf("関連性"), StringComparison.Ordinal);
        Assert.NotEqual(EvaluationJoining.NameOf("関連性"), EvaluationJoining.NameOf("有用性"));
    }
}
