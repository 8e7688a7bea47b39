using Flywheel.Core.Review;

namespace Flywheel.Engine.Review;

/// <param name="Held">By whom and until when; null if nobody holds it.</param>
public sealed record QueueItem(ServedItem Served, Reservation? Held);
