using Flywheel.Core.Projects;

namespace Flywheel.Engine.Projects;

/// <summary>A key that was created.</summary>
/// <param name="Secret">Shown once: the database holds its hash only.</param>
public sealed record CreatedKey(Project Project, ApiKey Key, string Secret);
