namespace Flywheel.Server.Cli;

static class ExitCodes
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>The command worked, and a threshold that it was given is not met.</summary>
    public const int ThresholdNotMet = 100;
}
