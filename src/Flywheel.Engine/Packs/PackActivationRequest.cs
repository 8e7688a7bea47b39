using System.Text.Json;

namespace Flywheel.Engine.Packs;

/// <param name="Nodes">Names of nodes; null means all nodes of the pack's kind.</param>
/// <param name="Settings">Settings of validators by metric, then by name.</param>
/// <param name="Only">Names of metrics; null means all of the pack.</param>
/// <param name="Judges">Also switch on metrics that ask a model, and cost money.</param>
public sealed record PackActivationRequest(
    IReadOnlyList<string>? Nodes = null, IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>>? Settings = null,
    IReadOnlyList<string>? Only = null, bool Judges = false);
