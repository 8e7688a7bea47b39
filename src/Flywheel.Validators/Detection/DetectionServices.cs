using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;

namespace Flywheel.Validators.Detection;

/// <summary>What detectors need from their surroundings.</summary>
/// <param name="Embedder">Turns texts into vectors; asked for at the first check.</param>
/// <param name="Clock">For repeated attempts.</param>
/// <param name="ReadRows">Reads the JSONL or CSV file that a setting names, a JSON object a row; null where settings come from others, so
/// that no file of this machine can be asked for.</param>
/// <param name="References">What people approved; null outside a project.</param>
public sealed record DetectionServices(
    Func<IEmbedder> Embedder, TimeProvider Clock, Func<string, IEnumerable<JsonElement>>? ReadRows = null,
    IApprovedReferences? References = null);

/// <summary>The approved inputs or outputs that a metric compares with.</summary>
public interface IApprovedReferences
{
    /// <summary>The newest approved reference; null when none is. Cheap when nothing changed.</summary>
    ValueTask<ReferenceSet?> CurrentAsync(ProjectId project, string metric, MetricSubject subject, CancellationToken ct);
}
