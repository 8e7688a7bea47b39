using System.Collections.Concurrent;
using Flywheel.Core.Gateway;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Retrieval;

namespace Flywheel.Server.Gateway.Policy;

/// <summary>What holds for a node, ready to be used.</summary>
/// <param name="Prompt">The version that calls run now; null without a prompt, and when the settings name one that is not there.</param>
sealed record NodeRules(GatewaySettings Settings, NodeKind? Kind, RetrievalPolicy Retrieval, PromptVersion? Prompt = null);

/// <summary>The rules of nodes, read again after a second: a changed policy holds for calls from then on.</summary>
sealed class NodeRulesSource(IFlywheelStore store, NodePolicies retrieval, TimeProvider clock)
{
    /// <summary>Names of nodes come with requests, so they must not fill the memory.</summary>
    const int Kept = 4_096;

    static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    readonly ConcurrentDictionary<(ProjectId Project, string Node), (NodeRules Rules, long At)> _known = new();

    public ValueTask<NodeRules> OfAsync(ProjectId project, string node, CancellationToken ct) =>
        _known.TryGetValue((project, node), out var known) && clock.GetElapsedTime(known.At) < Fresh
            ? ValueTask.FromResult(known.Rules)
            : ReadAsync(project, node, ct);

    async ValueTask<NodeRules> ReadAsync(ProjectId project, string node, CancellationToken ct)
    {
        var at = clock.GetTimestamp();
        var set = await store.GatewayPolicies.FindAsync(project, node, ct);
        var settings = (set is null ? new() : GatewaySettings.Parse(set.Settings)).InForce();
        var rules = new NodeRules(
            settings, settings.NodeKind, await retrieval.ForNodeAsync(project, node, ct), await PromptAsync(project, settings, ct));
        if (_known.Count >= Kept)
            _known.Clear();
        _known[(project, node)] = (rules, at);
        return rules;
    }

    async Task<PromptVersion?> PromptAsync(ProjectId project, GatewaySettings settings, CancellationToken ct) => settings switch
    {
        { Prompt: null } => null,
        { PromptVersion: { } number } => await store.Prompts.FindAsync(project, settings.Prompt, number, ct),
        _ => await store.Prompts.FindAsync(project, settings.Prompt, settings.PromptLabel ?? PromptLabel.Production, ct),
    };
}
