namespace Flywheel.Core;

/// <summary>Something outside is not as it must be (a setting, a file, a database); the message says what and how to mend it.</summary>
public class FlywheelException(string message, Exception? inner = null) : Exception(message, inner);
