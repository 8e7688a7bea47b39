namespace Flywheel.Core.Projects;

/// <summary>What a backup holds, found by reading all of it.</summary>
/// <param name="Rows">By table; derived tables and queues included.</param>
/// <param name="Migration">The newest migration that it has.</param>
/// <param name="Problems">What is wrong with it, in words; empty when it is good.</param>
public sealed record BackupReport(
    string Path, long Bytes, string Migration, IReadOnlyList<string> Projects, IReadOnlyDictionary<string, long> Rows,
    IReadOnlyList<string> Problems)
{
    public bool IsGood => Problems.Count == 0;
}
