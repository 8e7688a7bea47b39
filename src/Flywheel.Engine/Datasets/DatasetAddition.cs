using Flywheel.Core;
using Flywheel.Core.Datasets;

namespace Flywheel.Engine.Datasets;

/// <summary>The result of adding rows of a file.</summary>
/// <param name="Change">Summed over the transactions that it took; the version is the last one.</param>
/// <param name="Rejected">Rows that make no item, at most 1,000 of them.</param>
public sealed record DatasetAddition(DatasetChange Change, IReadOnlyList<RowRejection> Rejected);
