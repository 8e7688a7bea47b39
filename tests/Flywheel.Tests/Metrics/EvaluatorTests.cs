using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics.Evaluators;
using Flywheel.Tests.Judging;
using Flywheel.Validators.Evaluators;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Tests.Metrics;

public sealed class EvaluatorTests
{
    [Theory]
    [InlineData(true, Outcome.Pass)]
    [InlineData(false, Outcome.Fail)]
    [InlineData(null, Outcome.Unsure)]
    public async Task A_boolean_decides(bool? value, Outcome outcome)
    {
        var finding = await AskAsync(new BooleanMetric("m", value, "because"));

        Assert.Equal((outcome, "because"), (finding.Outcome, finding.Reason));
    }

    [Theory]
    [InlineData(""","min":3""", 3, Outcome.Pass)]
    [InlineData(""","min":3""", 2.5, Outcome.Fail)]
    [InlineData(""","max":3""", 3.5, Outcome.Fail)]
    [InlineData("", 3, Outcome.Error)]
    [InlineData(""","min":3""", double.NaN, Outcome.Unsure)]
    public async Task A_number_needs_a_bound(string bounds, double value, Outcome outcome)
    {
        var finding = await AskAsync(new NumericMetric("m", value), bounds);

        Assert.True(outcome == finding.Outcome, finding.ToString());
    }

    [Fact]
    public async Task An_interpretation_that_says_failed_is_a_fail_whatever_the_value()
    {
        var metric = new NumericMetric("m", 5) { Interpretation = new(EvaluationRating.Poor, failed: true, "too proud") };

        var finding = await AskAsync(metric, ""","min":1""");

        Assert.Equal((Outcome.Fail, 5.0, "too proud"), (finding.Outcome, finding.Score, finding.Reason));
    }

    [Fact]
    public async Task Without_a_value_an_error_in_the_diagnostics_is_an_error_and_its_text_the_reason()
    {
        var metric = new NumericMetric("m") { Diagnostics = [EvaluationDiagnostic.Error("the reply was cut")] };

        var finding = await AskAsync(metric, ""","min":1""");

        Assert.Equal((Outcome.Error, "the reply was cut"), (finding.Outcome, finding.Reason));
    }

    [Fact]
    public async Task Another_metric_than_promised_is_an_error_and_no_text_is_skipped()
    {
        Assert.Equal(Outcome.Error, (await AskAsync(new BooleanMetric("other", true))).Outcome);
        Assert.Equal(Outcome.Skipped,
            (await Make(new Scripted(new BooleanMetric("m", true))).CheckAsync(new(null, null), Checks.Ct)).Outcome);
    }

    [Theory]
    [InlineData("""{}""", "evaluator")]
    [InlineData("""{"evaluator":"scriptd"}""", "evaluator")]
    [InlineData("""{"evaluator":"scripted","metric":"n"}""", "metric")]
    [InlineData("""{"evaluator":"scripted","min":2,"max":1}""", "min")]
    [InlineData("""{"evaluator":"scripted","model":"x"}""", "model")]
    public void Settings_that_cannot_work_are_refused(string settings, string field)
    {
        var error = Assert.Throws<ValidatorSettingsException>(() =>
            Checks.Make("evaluator", settings, registry: Registry(new Scripted(new BooleanMetric("m", true)))));

        Assert.Equal(field, error.Setting);
    }

    [Fact]
    public async Task An_evaluator_that_asks_a_model_gets_ours_and_its_cost_is_counted()
    {
        var chat = new ScriptedChatClient(
            _ => new(new ChatMessage(ChatRole.Assistant, "yes")) { ModelId = "scripted-1", Usage = new() { InputTokenCount = 10 } });
        var models = new EvaluatorModels(_ => chat, (_, usage) => 0.01 * usage.InputTokenCount ?? 0);
        var validator = Checks.Make("evaluator.model", """{"evaluator":"scripted"}""", registry: Registry(new Asking(), models));

        var finding = await validator.CheckAsync(new("The answer", null, "The question"), Checks.Ct);

        Assert.Equal((Outcome.Pass, 0.1, "scripted-1"), (finding.Outcome, finding.CostUsd, finding.Model));
        Assert.Equal("The question|The answer", chat.Calls.Single().Messages.Single().Text);
        Assert.Equal(0.1, ((IPricedValidator)validator).ExpectedCostUsd(new("The answer", null)));
    }

    [Theory]
    [InlineData(null, null, "set `Evaluators:e:Type`")]
    [InlineData("No.Such, Nowhere", null, "there is no type")]
    [InlineData("System.String", null, "no `IEvaluator`")]
    [InlineData("A.B", "/nowhere/a.dll", "cannot be loaded")]
    public void A_configured_evaluator_that_cannot_be_had_says_why(string? type, string? path, string message)
    {
        var error = Assert.Throws<EvaluatorException>(() => NamedEvaluators.Make("e", type, path));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configured_evaluator_is_made_by_name_or_from_a_file()
    {
        var type = typeof(Asking);

        Assert.IsType<Asking>(NamedEvaluators.Make("e", type.AssemblyQualifiedName, null));
        Assert.Equal(type.FullName, NamedEvaluators.Make("e", type.FullName, type.Assembly.Location).GetType().FullName);
    }

    [Theory]
    [InlineData("All good.", true)]
    [InlineData("Let us delve into it.", false)]
    public async Task Ours_is_an_evaluator_with_a_reason(string answer, bool passes)
    {
        var result = await new FlywheelEvaluator("absent", new { words = new[] { "delve" } }, name: "plain")
            .EvaluateAsync("Hello?", answer, cancellationToken: Checks.Ct);

        var metric = result.Get<BooleanMetric>("plain");
        Assert.Equal((passes, !passes), (metric.Value, metric.Interpretation!.Failed));
        Assert.Equal(passes, metric.Reason is null);
    }

    [Fact]
    public async Task What_ours_could_not_decide_is_failed_with_a_diagnostic()
    {
        var evaluator = new FlywheelEvaluator("exact-match", new { expected_attribute = "reference" });
        ChatResponse answer = new(new ChatMessage(ChatRole.Assistant, "42"));

        var without = (await evaluator.EvaluateAsync([], answer, cancellationToken: Checks.Ct)).Get<BooleanMetric>("exact-match");
        var with = (await evaluator.EvaluateAsync([], answer, additionalContext: [new Reference("42")], cancellationToken: Checks.Ct))
            .Get<BooleanMetric>("exact-match");

        Assert.Null(without.Value);
        Assert.True(without.Interpretation!.Failed);
        Assert.Single(without.Diagnostics!);
        Assert.True(with.Value);
    }

    static async Task<Finding> AskAsync(EvaluationMetric metric, string bounds = "") =>
        await Make(new Scripted(metric), bounds).CheckAsync(new("text", null), Checks.Ct);

    static IValidator Make(IEvaluator evaluator, string bounds = "") =>
        Checks.Make("evaluator", $$"""{"evaluator":"scripted"{{bounds}}}""", registry: Registry(evaluator));

    static ValidatorRegistry Registry(IEvaluator evaluator, EvaluatorModels? models = null) =>
        new(EvaluatorKinds.All(new Dictionary<string, IEvaluator> { ["scripted"] = evaluator }, models));

    sealed class Reference(string text) : EvaluationContext("reference", text);

    sealed class Scripted(EvaluationMetric metric) : IEvaluator
    {
        public IReadOnlyCollection<string> EvaluationMetricNames => ["m"];

        public ValueTask<EvaluationResult> EvaluateAsync(
            IEnumerable<ChatMessage> messages, ChatResponse modelResponse, ChatConfiguration? chatConfiguration = null,
            IEnumerable<EvaluationContext>? additionalContext = null, CancellationToken cancellationToken = default) =>
                new(new EvaluationResult(metric));
    }

    /// <summary>Passes when the model answers yes.</summary>
    public sealed class Asking : IEvaluator
    {
        public IReadOnlyCollection<string> EvaluationMetricNames => ["m"];

        public async ValueTask<EvaluationResult> EvaluateAsync(
            IEnumerable<ChatMessage> messages, ChatResponse modelResponse, ChatConfiguration? chatConfiguration = null,
            IEnumerable<EvaluationContext>? additionalContext = null, CancellationToken cancellationToken = default)
        {
            var question = new ChatMessage(ChatRole.User, $"{messages.Single().Text}|{modelResponse.Text}");
            var reply = await chatConfiguration!.ChatClient.GetResponseAsync([question], cancellationToken: cancellationToken);
            return new(new BooleanMetric("m", reply.Text == "yes"));
        }
    }
}
