namespace Flywheel.Engine.Judging.Aligning;

/// <summary>Another worker has taken the search over.</summary>
sealed class AlignmentLost : Exception;

/// <summary>A search that cannot come to a result; the message says why.</summary>
sealed class AlignmentFailure(string why) : Exception(why);
