using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Validators.Code;
using Flywheel.Validators.Detection;
using Flywheel.Validators.Evaluators;
using Flywheel.Validators.Sandboxing;
using Flywheel.Validators.Webhooks;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Validators;

/// <summary>What the kinds of this package need from outside. What is not given makes only the metrics fail that need it.</summary>
public sealed record LeafServices
{
    /// <summary>For <c>input.complexity</c>.</summary>
    public ITokenCounter? Tokens { get; init; }

    /// <summary>For the detectors, and for <c>writer.perplexity</c>.</summary>
    public DetectionServices? Detection { get; init; }

    /// <summary>For <c>webhook</c>.</summary>
    public WebhookServices? Webhooks { get; init; }

    /// <summary>For <c>input.owner</c>.</summary>
    public IApplicationDatabases? Databases { get; init; }

    /// <summary>Where the code of <c>code.*</c> runs. It stays the caller's.</summary>
    public Sandbox? Sandbox { get; init; }

    /// <summary>Databases that <c>code.sql</c> may name.</summary>
    public CodeDatabases? CodeDatabases { get; init; }

    /// <summary>
    /// For <c>evaluator</c> and <c>evaluator.model</c>, by the names that metrics use. Each is asked by many threads at once.
    /// </summary>
    public IReadOnlyDictionary<string, IEvaluator> Evaluators { get; init; } = new Dictionary<string, IEvaluator>();

    /// <summary>For <c>evaluator.model</c>.</summary>
    public EvaluatorModels? Models { get; init; }
}
