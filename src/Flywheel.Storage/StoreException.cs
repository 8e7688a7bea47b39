namespace Flywheel.Storage;

/// <summary>The database cannot be used as it is; the message says what is wrong and what to do.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Core.FlywheelException(message, inner);
