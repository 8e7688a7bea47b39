using Flywheel.Core.Datasets;

namespace Flywheel.Engine.Datasets;

/// <summary>The result of adding spans.</summary>
/// <param name="Selection">The spans that the conditions selected.</param>
public sealed record DatasetSpansAddition(DatasetChange Change, SpanSelection Selection);
