using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Composition;
using Flywheel.Validators;
using Flywheel.Validators.Evaluators;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Server.Hosting;

/// <summary>Code that the operator brings by the settings, loaded at the start. Nobody else names code.</summary>
static class OperatorServices
{
    /// <summary>Evaluators: <c>Evaluators:NAME:Type</c>, and <c>Assembly</c> for a file.</summary>
    public static Dictionary<string, IEvaluator> Evaluators(IConfiguration configuration) =>
        configuration.GetSection("Evaluators").GetChildren()
        .ToDictionary(each => each.Key, each => NamedEvaluators.Make(each.Key, each["Type"], each["Assembly"]), StringComparer.Ordinal);

    /// <summary>Kinds of validators: <c>Plugins</c>, a list of files or one.</summary>
    public static IReadOnlyList<IValidatorKind> Plugins(IConfiguration configuration)
    {
        var section = configuration.GetSection("Plugins");
        var files = section.Value is { Length: > 0 } one ? [one] : section.GetChildren().Select(file => file.Value).OfType<string>()
            .ToArray();
        return files.Length == 0
            ? [] : ValidatorPlugins.Load(files, EngineValidators.All().Concat(LeafValidators.All()).Select(kind => kind.Name));
    }
}
