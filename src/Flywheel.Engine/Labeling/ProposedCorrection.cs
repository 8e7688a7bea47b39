using Flywheel.Core.Labeling;

namespace Flywheel.Engine.Labeling;

/// <param name="Demonstration">Id of the pending demonstration.</param>
/// <param name="Result">Repeated if the agent proposed the same before.</param>
public sealed record ProposedCorrection(Guid Demonstration, InsertResult Result);
