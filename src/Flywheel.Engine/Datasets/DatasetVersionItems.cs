using Flywheel.Core.Datasets;

namespace Flywheel.Engine.Datasets;

/// <summary>One page of the items of a version.</summary>
public sealed record DatasetVersionItems(DatasetVersion Version, IReadOnlyList<DatasetItem> Items);
