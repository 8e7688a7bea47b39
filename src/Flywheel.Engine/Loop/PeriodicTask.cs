namespace Flywheel.Engine.Loop;

/// <summary>Work that is done again after each pause.</summary>
/// <param name="What">For messages, such as <c>planning reviews</c>; also the name of its lease.</param>
/// <param name="RunOnceAsync">One turn; returns the number of rows or items that it changed.</param>
/// <param name="OncePerDatabase">
/// True: of several processes over one database one runs it. False: each process runs it, for what is of the process or has leases of
/// its own.
/// </param>
public sealed record PeriodicTask(string What, TimeSpan Pause, Func<CancellationToken, Task<int>> RunOnceAsync, bool OncePerDatabase);
