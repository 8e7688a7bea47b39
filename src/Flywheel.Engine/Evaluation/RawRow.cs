namespace Flywheel.Engine.Evaluation;

/// <summary>A row that is not parsed yet.</summary>
/// <param name="Line">Line of the file, row of a Parquet file, or ordinal of an item; from 1.</param>
/// <param name="Json">A line of JSON, or the JSON that a reader of another format made of the row.</param>
public readonly record struct RawRow(int Line, string Json);
