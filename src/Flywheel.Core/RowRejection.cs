namespace Flywheel.Core;

/// <summary>A row of a file or of a request that was not taken in, with the reason.</summary>
/// <param name="Row">Line of the file, or row of a Parquet file, from 1.</param>
public sealed record RowRejection(int Row, string Message);
