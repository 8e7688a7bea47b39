using System.Runtime.InteropServices;

namespace Flywheel.SandboxChild.Workers;

/// <summary>Ends this process when a task overruns, whoever else is watching.</summary>
/// <remarks>The parent kills earlier; this is for a parent that died.</remarks>
sealed partial class SelfWatch : IDisposable
{
    const long Never = long.MaxValue;
    long _until = Never;

    public SelfWatch() => new Thread(Watch) { IsBackground = true, Name = "watch" }.Start();

    public void Arm(int milliseconds) => Volatile.Write(ref _until, Environment.TickCount64 + milliseconds);

    public void Disarm() => Volatile.Write(ref _until, Never);

    public void Dispose() => Disarm();

    void Watch()
    {
        while (true)
        {
            Thread.Sleep(100);
            if (Environment.TickCount64 <= Volatile.Read(ref _until))
                continue;
            if (OperatingSystem.IsWindows())
                Environment.Exit(3);
            EndNow(3);
        }
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void EndNow(int code);
}
