namespace Flywheel.Server.Cli;

/// <summary>The command line cannot be meant as it stands; exit code 2.</summary>
sealed class UsageException(string message) : Exception(message);
