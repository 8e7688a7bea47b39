namespace Flywheel.Engine.Models;

/// <summary>How far an installation is.</summary>
/// <param name="Step">What is being done, for people.</param>
/// <param name="Done">In [0, 1]; steps are of unequal length.</param>
public readonly record struct InstallProgress(string Step, double Done);
