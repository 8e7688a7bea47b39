using Flywheel.Core.Projects;

namespace Flywheel.Engine.Projects;

/// <summary>The result of erasing an end user.</summary>
/// <param name="Compacted">True if the database file was rewritten.</param>
public sealed record ErasureResult(Erasure Erased, bool Compacted);
