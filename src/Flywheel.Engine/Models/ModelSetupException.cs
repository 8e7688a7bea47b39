namespace Flywheel.Engine.Models;

/// <summary>A model cannot be used as configured or installed; the message names the setting or path and the remedy.</summary>
public sealed class ModelSetupException(string message, Exception? inner = null) : Core.FlywheelException(message, inner);
