using Flywheel.Core.Labeling;

namespace Flywheel.Engine.Labeling;

/// <param name="Demonstration">Id of the pending demonstration that it caused; null if it caused none.</param>
public sealed record GivenFeedback(Feedback Feedback, Guid? Demonstration);
