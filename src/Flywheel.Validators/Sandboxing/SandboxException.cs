using Flywheel.Core;

namespace Flywheel.Validators.Sandboxing;

/// <summary>The sandbox cannot work as it is set up; the message says why and what to do.</summary>
public sealed class SandboxException(string message, Exception? inner = null) : FlywheelException(message, inner);
