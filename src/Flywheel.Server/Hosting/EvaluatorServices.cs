using Flywheel.Engine.Metrics.Evaluators;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Server.Hosting;

/// <summary>Evaluators by the settings: <c>Evaluators:NAME:Type</c>, and <c>Assembly</c> for a file. Only an operator names code.</summary>
static class EvaluatorServices
{
    public static Dictionary<string, IEvaluator> Open(IConfiguration configuration) => configuration.GetSection("Evaluators").GetChildren()
        .ToDictionary(each => each.Key, each => NamedEvaluators.Make(each.Key, each["Type"], each["Assembly"]), StringComparer.Ordinal);
}
