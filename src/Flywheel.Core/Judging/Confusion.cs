namespace Flywheel.Core.Judging;

/// <summary>Counts of verdicts against blind labels: the judge's word first, the person's second.</summary>
public sealed record Confusion(long PassPass, long PassFail, long FailPass, long FailFail);
