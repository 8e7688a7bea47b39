using Flywheel.Core.Projects;

namespace Flywheel.Engine.Projects;

/// <summary>The newest entries of a project's audit.</summary>
/// <param name="FirstBroken">Id of the first entry whose hash does not fit; null if the chain is whole.</param>
public sealed record AuditTrail(IReadOnlyList<AuditEntry> Entries, long? FirstBroken);
