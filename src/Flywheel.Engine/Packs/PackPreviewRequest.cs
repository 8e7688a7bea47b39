using System.Text.Json;
using Flywheel.Engine.Evaluation;

namespace Flywheel.Engine.Packs;

/// <param name="Nodes">Names of nodes; null means all nodes of the pack's kind.</param>
/// <param name="Settings">Settings of validators by metric, then by name.</param>
public sealed record PackPreviewRequest(
    PreviewBounds Bounds, IReadOnlyList<string>? Nodes = null,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>>? Settings = null);
