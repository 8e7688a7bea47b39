using Flywheel.Core.Jobs;

namespace Flywheel.Engine.Jobs;

/// <param name="Next">Cursor of the following page; null on the last.</param>
/// <param name="Counts">Of all projects.</param>
public sealed record JobPage(IReadOnlyList<JobEntry> Jobs, string? Next, JobCounts Counts);
