namespace Flywheel.Engine.Loop;

/// <summary>Work that is done again after each pause.</summary>
/// <param name="What">For messages, such as <c>planning reviews</c>.</param>
/// <param name="RunOnceAsync">One turn; returns the number of rows or items that it changed.</param>
public sealed record PeriodicTask(string What, TimeSpan Pause, Func<CancellationToken, Task<int>> RunOnceAsync);
