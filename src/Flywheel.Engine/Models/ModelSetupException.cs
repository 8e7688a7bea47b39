namespace Flywheel.Engine.Models;

/// <summary>A model cannot be used as configured or installed; the message names the setting or path and the remedy.</summary>
public sealed class ModelSetupException : Exception
{
    public ModelSetupException()
    {
    }

    public ModelSetupException(string message)
        : base(message)
    {
    }

    public ModelSetupException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}
