namespace Flywheel.Engine.Datasets;

/// <summary>Which fields of a file's rows are what.</summary>
/// <param name="Expected">Null: <c>expected</c>, else <c>reference</c>.</param>
public sealed record DatasetFields(string Input = "input", string? Expected = null, string Split = "split");
