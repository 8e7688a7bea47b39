using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Flywheel.Tests;

/// <summary>CPU time of the calling thread, which other work on the machine does not lengthen.</summary>
static partial class ThreadTime
{
    /// <summary>What the work took of this thread; on Windows the time that passed.</summary>
    public static TimeSpan Of(Action work)
    {
        var before = Now();
        work();
        return Now() - before;
    }

    /// <summary>The same for work that must end before it returns, so that no other thread can have done it.</summary>
    public static async Task<(T Result, TimeSpan Taken)> OfSynchronousAsync<T>(Func<ValueTask<T>> work)
    {
        Task<T> done = null!;
        var taken = Of(() => done = work().AsTask());
        Assert.True(done.IsCompleted, "The work went on elsewhere: its time is not this thread's.");
        return (await done, taken);
    }

    static TimeSpan Now()
    {
        if (OperatingSystem.IsWindows())
            return Stopwatch.GetElapsedTime(0);
        var error = ReadClock(OperatingSystem.IsMacOS() ? 16 : 3, out var time);
        Assert.Equal(0, error);
        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
    }

    // CLOCK_THREAD_CPUTIME_ID
    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ReadClock(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    struct Time
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
