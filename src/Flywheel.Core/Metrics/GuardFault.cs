namespace Flywheel.Core.Metrics;

/// <summary>What a guard does when it cannot check: an exception, a timeout, settings that no longer work.</summary>
public enum GuardFault
{
    Allow,
    Block,
}
