using Flywheel.Core;
using Flywheel.Core.Metrics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Validators.Evaluators;

/// <summary>An <see cref="IEvaluator"/> that the operator named decides, with a model of ours or without one.</summary>
/// <remarks>Two kinds, since what may call a model waits for budget and gets a judge's time, and what may not must do neither.</remarks>
sealed class EvaluatorKind(IReadOnlyDictionary<string, IEvaluator> named, EvaluatorModels? models, bool asksModel) : ValidatorKind(
    asksModel ? "evaluator.model" : "evaluator", 1,
    asksModel
        ? "An evaluator of Microsoft.Extensions.AI.Evaluation decides, with one of the configured models."
        : "An evaluator of Microsoft.Extensions.AI.Evaluation decides, without a model.",
    [
        new("evaluator", "text", "Name of an evaluator in the server's settings, `Evaluators:NAME`.", null),
        new("metric", "text", "Which of its metrics decides.", "its only one"),
        new("min", "number", "A number below fails.", "the evaluator's own interpretation"),
        new("max", "number", "A number above fails.", "the evaluator's own interpretation"),
        .. asksModel ? [new SettingDescription("model", "text", "Name of a configured model.", "the default one")]
        : Array.Empty<SettingDescription>(),
    ])
{
    public override bool CallsModel => asksModel;
    public override bool CanGuard => false;
    public override IReadOnlySet<MetricSubject> Subjects => OutputOnly;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var name = read.RequiredText("evaluator", "name one of the evaluators in the server's settings, `Evaluators:NAME`.");
        if (!named.TryGetValue(name, out var evaluator))
            throw read.Wrong("evaluator", $"names no evaluator of the server.{NearMiss.Hint(name, named.Keys)} "
                + (named.Count == 0 ? $"None is configured: set `Evaluators:{name}:Type`."
                : $"Known are {NearMiss.List(named.Keys.Order(StringComparer.Ordinal))}."));
        string[] metrics = [.. evaluator.EvaluationMetricNames];
        var metric = read.Text("metric") ?? (metrics.Length == 1
            ? metrics[0]
            : throw read.Missing("metric", $"{Quote.Short(name)} gives several: choose one of {NearMiss.List(metrics)}."));
        if (!metrics.Contains(metric, StringComparer.Ordinal))
            throw read.Wrong("metric",
                $"is none of {Quote.Short(name)}.{NearMiss.Hint(metric, metrics)} It gives {NearMiss.List(metrics)}.");
        var (min, max) = (read.Number("min", double.MinValue, double.MaxValue), read.Number("max", double.MinValue, double.MaxValue));
        if (min > max)
            throw read.Wrong("min", "is above `max`, so no number can pass: swap them.");
        var verdict = new EvaluatorVerdict(metric, min, max);
        version += $"-{evaluator.GetType().Module.ModuleVersionId.ToString("N")[..8]}";
        if (!asksModel)
            return new EvaluatorValidator(version, context.Subject, evaluator, verdict);
        if (models is null)
            throw read.Wrong("model", "cannot be had: no models are at hand here.");
        IChatClient chat;
        try
        {
            chat = models.Chat(read.Text("model"));
        }
        catch (Exception error) when (error is KeyNotFoundException or ArgumentException or InvalidOperationException)
        {
            throw read.Wrong("model", $"cannot be had: {error.Message}");
        }
        var model = (chat.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId;
        return new ModelEvaluatorValidator(
            $"{version}-{Hash(model ?? "")}", context.Subject, evaluator, verdict, chat, models.CostUsd, model);
    }
}
