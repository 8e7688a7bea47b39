using System.Security.Cryptography;
using System.Text;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Metrics.Validators;

namespace Flywheel.Engine.Telemetry;

/// <summary>Makes verdicts, labels and proposed labels of what evaluators and people elsewhere said, once the span is there.</summary>
/// <remarks>
/// A person's result is a label when the sender's key may label (mode <c>accepted</c>, or <c>blind</c> when declared so), else a proposed
/// label.
/// Anybody else's is a verdict of a metric of kind <c>external</c>; a name that nobody knows becomes a proposed one.
/// </remarks>
public sealed class EvaluationJoining(IFlywheelStore store, TimeProvider clock)
{
    const int Chunk = 200;

    /// <summary>Metrics that senders may bring into a project by naming them.</summary>
    public const int MostMetrics = 200;

    public const string Author = "otlp";

    /// <returns>Evaluations that were joined.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var ready = await store.Evaluations.ReadyAsync(Chunk, clock.GetUtcNow(), ct);
        foreach (var ofProject in ready.GroupBy(one => one.Project))
        {
            var metrics = (await store.Metrics.ListAsync(ofProject.Key, ct)).ToDictionary(metric => metric.Name);
            foreach (var one in ofProject)
                await store.Evaluations.RecordAsync(one, await EffectAsync(one, metrics, ct), ct);
        }
        return ready.Count;
    }

    async Task<EvaluationEffect> EffectAsync(ReadyEvaluation one, Dictionary<string, Metric> metrics, CancellationToken ct)
    {
        var said = one.Evaluation;
        var name = NameOf(said.Name);
        if (said.Source != EvaluationSource.Human)
        {
            // A metric of ours keeps its own verdicts: the other's stand beside it.
            var external = metrics.TryGetValue(name, out var taken)
                && taken.Validator.Kind != ValidatorSpec.External ? Suffixed(name) : name;
            return await MetricAsync(one.Project, external, said, metrics, ct) is { State: not MetricState.Retired } metric
                && metric.Validator.Kind == ValidatorSpec.External
                ? new(Verdict: new(one.Project, one.Span, metric.Id, metric.VersionId, Version(said),
                    ExternalKind.Decide(metric.Validator, said), 0, said.At))
                : new();
        }
        if (await MetricAsync(one.Project, name, said, metrics, ct) is not { State: not MetricState.Retired } about
            || ExternalKind.Passed(about.Validator, said) is not { } passed)
            return new();
        var author = said.Author ?? said.Evaluator;
        return one.MayLabel
            ? new(Label: new(
                IdOf(one, about.Id), one.Project, one.Span, about.Id, passed, said.Blind ? LabelMode.Blind : LabelMode.Accepted,
                said.Explanation, author, null, said.At))
            : new(Proposal: new(one.Project, one.Span, about.Id, "elsewhere:" + Short(author, 180), passed, said.Explanation ?? "", null,
                said.At));
    }

    async Task<Metric?> MetricAsync(
        ProjectId project, string name, SpanEvaluation said, Dictionary<string, Metric> metrics, CancellationToken ct)
    {
        if (metrics.TryGetValue(name, out var known))
            return known;
        if (metrics.Values.Count(metric => metric.Author == Author) >= MostMetrics)
            return null;
        var metric = await store.Metrics.AddAsync(
            project,
            new NewMetric(
                name, $"What another system means by `{said.Name}`: write the criterion in words before people label it.",
                MetricSubject.Output, null, null, 1,
                new ValidatorSpec(ValidatorSpec.External,
                    System.Text.Json.JsonSerializer.SerializeToElement(new Dictionary<string, string>())), Author,
                State: MetricState.Proposed),
            expectNew: true, clock.GetUtcNow(), ct) ?? await store.Metrics.FindAsync(project, name, ct);
        if (metric is not null)
            metrics[name] = metric;
        return metric;
    }

    /// <summary>A metric's name is narrower than what others send.</summary>
    internal static string NameOf(string sent)
    {
        var name = new StringBuilder();
        foreach (var c in sent.Trim().ToLowerInvariant())
            if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || (c is '.' or '_' or '-' && name.Length > 0))
                name.Append(c);
            else if (name.Length > 0 && name[^1] != '-')
                name.Append('-');
        var plain = name.ToString().TrimEnd('-');
        // A name of which nothing is left, as one in another script, is told by its hash.
        return plain.Length == 0 ? "external-" + Hash(sent) : plain.Length <= MetricCheck.MaxNameLength
            ? plain : plain[..(MetricCheck.MaxNameLength - 17)] + "-" + Hash(sent);
    }

    static string Suffixed(string name) => Short(name, MetricCheck.MaxNameLength - ".external".Length) + ".external";

    static string Version(SpanEvaluation said) => "external:" + Short(said.Evaluator, 180);

    static string Short(string text, int most) => text.Length <= most ? text : text[..most];

    static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));

    /// <summary>The same thing said again is the same label.</summary>
    static Guid IdOf(ReadyEvaluation one, MetricId metric)
    {
        var it = one.Evaluation;
        return new(SHA256.HashData(Encoding.UTF8.GetBytes(
            FormattableString.Invariant(
                $"{one.Project.Value}\n{one.Span.Value}\n{metric.Value}\n{it.Author}\n{it.Evaluator}\n{it.Score:R}\n{it.Label}\n{it.Explanation}\n{it.Blind}\n{it.At.UtcTicks}"))).AsSpan(0, 16));
    }
}
