namespace Flywheel.Engine.Metrics.Schema;

/// <summary>A JSON Schema cannot be used; the message names the place and the remedy.</summary>
public sealed class SchemaException(string message) : Exception(message);
