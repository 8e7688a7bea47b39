using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Gateway;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Engine.Prompts;

namespace Flywheel.Engine.Gateway;

/// <summary>The policies of nodes whose calls go through the gateway.</summary>
/// <param name="models">Null if this process has no gateway; then any name of a model is accepted.</param>
public sealed class GatewayPolicyService(
    IGatewayPolicyStore policies, PromptService prompts, TimeProvider clock, IRoutedModels? models = null)
{
    /// <returns>Null if the node has the default policy.</returns>
    public Task<GatewayPolicy?> FindAsync(Caller caller, string node, CancellationToken ct) => policies.FindAsync(caller.Project, node, ct);

    /// <summary>Replaces the node's policy.</summary>
    /// <exception cref="RequestException">
    /// A setting cannot work; <c>unknown_prompt</c>, <c>unknown_prompt_version</c> if the prompt does not exist.
    /// </exception>
    public async Task<GatewayPolicy> SetAsync(Caller caller, string node, GatewaySettings settings, CancellationToken ct)
    {
        RequestField.Name("node", node);
        if (settings.Wrong() is var (field, message))
            throw RequestException.BadField(field, message);
        CheckModel("model", settings.Model);
        foreach (var fallback in settings.Fallbacks ?? [])
            CheckModel("fallbacks", fallback);
        if (settings.Prompt is not null)
            await prompts.GetAsync(
                caller, settings.Prompt,
                settings.PromptVersion?.ToString(CultureInfo.InvariantCulture) ?? settings.PromptLabel ?? PromptLabel.Production, ct);
        var policy = new GatewayPolicy(caller.Project, node, settings.Write(), caller.Actor, clock.GetUtcNow());
        await policies.SetAsync(policy, ct);
        return policy;
    }

    void CheckModel(string field, string? model)
    {
        if (model is not null && models is not null && !models.CanCall(model))
            throw RequestException.BadField(field, $"`{field}` names `{model}`, which no provider has. {models.Known}");
    }
}
