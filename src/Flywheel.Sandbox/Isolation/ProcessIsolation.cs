using System.Globalization;
using System.Runtime.InteropServices;

namespace Flywheel.SandboxChild.Isolation;

/// <summary>The walls of the operating system around this process, tried after they are built.</summary>
/// <remarks>
/// Needs no privileges. What cannot be built is named among the missing, and nothing here is what an engine's own limits rely on.
/// </remarks>
static partial class ProcessIsolation
{
    public static (IReadOnlyList<string> Held, IReadOnlyList<string> Missing) Lock(int memoryMb)
    {
        List<string> held = ["empty environment"], missing = [];
        if (!OperatingSystem.IsLinux())
            return (held, ["operating system's limits (they are built for Linux only)"]);

        Note(Limit(FileSize, 0) && Limit(CoreSize, 0), "no byte written to a file (rlimit)");
        Note(LimitMemory(memoryMb), $"{memoryMb} MB more address space at most (rlimit)");
        var filtered = Seccomp.Install();
        Note(filtered && CannotOpen(), "no file opened (seccomp)");
        Note(filtered && CannotConnect(), "no socket made (seccomp)");
        Note(filtered && CannotStart(), "no process started (seccomp)");
        return (held, missing);

        void Note(bool works, string wall) => (works ? held : missing).Add(wall);
    }

    const int FileSize = 1, CoreSize = 4, AddressSpace = 9;

    /// <summary>Relative to what the runtime has reserved already, which is far more than it uses.</summary>
    static bool LimitMemory(int memoryMb)
    {
        var pages = File.ReadAllText("/proc/self/statm").Split(' ')[0];
        var now = ulong.Parse(pages, CultureInfo.InvariantCulture) * (ulong)Environment.SystemPageSize;
        return Limit(AddressSpace, now + ((ulong)memoryMb << 20));
    }

    static bool Limit(int resource, ulong value) => SetLimit(resource, new(value, value)) == 0;

    static bool CannotOpen()
    {
        var file = OpenFile("/proc/self/environ", 0);
        return file < 0 && Marshal.GetLastPInvokeError() == Seccomp.NotPermitted;
    }

    static bool CannotConnect() => MakeSocket(2, 1, 0) < 0 && Marshal.GetLastPInvokeError() == Seccomp.NotPermitted;

    /// <summary>A program that does not exist: without the filter the error would be another one.</summary>
    static bool CannotStart() => Execute("/nowhere", 0, 0) < 0 && Marshal.GetLastPInvokeError() == Seccomp.NotPermitted;

    readonly struct ResourceLimit(ulong soft, ulong hard)
    {
        public readonly ulong Soft = soft, Hard = hard;
    }

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int MakeSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, nint arguments, nint environment);
}
