using Flywheel.Core.Jobs;

namespace Flywheel.Engine.Health;

/// <param name="Problems">In words; empty if the process is ready.</param>
/// <param name="Jobs">Null if the database does not answer.</param>
/// <param name="Fault">Why the database does not answer, for the log; null if it does.</param>
public sealed record ReadinessReport(IReadOnlyList<string> Problems, JobCounts? Jobs, Exception? Fault);
