using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics;

/// <param name="Sample">A few of the texts, for the person who decides.</param>
public sealed record ProposedReference(Reference Reference, IReadOnlyList<string> Sample);
