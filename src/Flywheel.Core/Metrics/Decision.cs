
namespace Flywheel.Core.Metrics;

/// <param name="Version">See <see cref="IValidator.Version"/>.</param>
public sealed record Decision(Finding Finding, string Version);
