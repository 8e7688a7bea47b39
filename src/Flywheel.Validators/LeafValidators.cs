using Flywheel.Core.Metrics;
using Flywheel.Validators.Calls;
using Flywheel.Validators.Code;
using Flywheel.Validators.Detection;
using Flywheel.Validators.Evaluators;
using Flywheel.Validators.Languages;
using Flywheel.Validators.Sensitive;
using Flywheel.Validators.Webhooks;
using Flywheel.Validators.Writing;

namespace Flywheel.Validators;

/// <summary>The kinds of validators of this package.</summary>
public static class LeafValidators
{
    public static IReadOnlyList<IValidatorKind> All(LeafServices? services = null)
    {
        services ??= new();
        var detection = services.Detection;
        return
        [
            new AdversarialKind(detection), new TopicKind(detection), new AnomalyKind(detection),
            new ComplexityKind(services.Tokens, detection),
            new OwnerKind(services.Databases), new SensitiveKind(), new LanguageKind(), new WebhookKind(services.Webhooks),
            new RetrieverNonEmptyKind(), new ToolResultKind(), .. WriterKinds.All(detection),
            .. CodeKinds.All(services.Sandbox, services.CodeDatabases), .. EvaluatorKinds.All(services.Evaluators, services.Models),
        ];
    }
}
