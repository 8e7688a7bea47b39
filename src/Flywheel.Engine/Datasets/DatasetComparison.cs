using Flywheel.Core.Datasets;

namespace Flywheel.Engine.Datasets;

/// <summary>Items that only one of two versions has.</summary>
/// <param name="From">Number of the older version; 0 for the empty state before the first.</param>
/// <param name="To">Number of the newer version.</param>
public sealed record DatasetComparison(int From, int To, IReadOnlyList<DatasetDifference> Changes);
