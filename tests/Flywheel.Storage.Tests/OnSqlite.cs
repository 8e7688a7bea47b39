namespace Flywheel.Storage.Tests;

/// <summary>Every suite on SQLite.</summary>
public sealed class SqliteSpans(SqliteFiles files) : SpanConformance(files);
