using System.Runtime.InteropServices;

namespace Flywheel.SandboxChild.Isolation;

/// <summary>
/// A filter on the system calls of all threads of this process, for good: files, sockets, processes, the kernel's own doors.
/// </summary>
/// <remarks>
/// Refused calls answer EPERM. What is open stays usable: the pipes to the parent, a database. Linux on x64 only, since call numbers
/// differ. Numbers: the kernel's arch/x86/entry/syscalls/syscall_64.tbl; program layout: linux/filter.h.
/// </remarks>
static partial class Seccomp
{
    public const int NotPermitted = 1;
    const uint NotImplemented = 38;

    const uint Allow = 0x7fff0000, Errno = 0x00050000, Kill = 0x80000000;
    const ushort LoadWord = 0x20, JumpIfEqual = 0x15, JumpIfAtLeast = 0x35, JumpIfSet = 0x45, Return = 0x06;
    const uint ArchitectureX64 = 0xC000003E, ForeignNumbers = 0x40000000;
    const uint Clone = 56, CloneThread = 0x10000, Clone3 = 435;

    static readonly uint[] RefusedCalls =
    [
        2, 85, 257, 437, 303, 304,                                   // open, creat, openat, openat2, handles
        41, 42, 43, 49, 50, 53, 288,                                 // socket, connect, accept, bind, listen, socketpair, accept4
        57, 58, 59, 322,                                             // fork, vfork, execve, execveat
        62, 101, 200, 310, 311, 312, 424, 434, 438,                  // kill, ptrace, tkill, other processes' memory, pidfd
        82, 264, 316, 83, 258, 84, 86, 265, 87, 263, 88, 266,        // rename, mkdir, rmdir, link, unlink, symlink
        90, 91, 268, 452, 92, 93, 94, 260, 133, 259, 76, 77,         // chmod, chown, mknod, truncate
        132, 235, 261, 280, 188, 189, 190, 197, 198, 199,            // times, extended attributes
        80, 81, 155, 161, 165, 166, 272, 308, 428, 429, 430, 431, 432, 433, 442, // chdir, chroot, mounts, namespaces
        425, 426, 427, 321, 298, 323, 319, 248, 249, 250,            // io_uring, bpf, perf, userfaultfd, memfd, keys
        29, 30, 31, 64, 65, 66, 68, 69, 70, 71, 240, 253, 294, 300,  // shared memory, semaphores, queues, notification
        105, 106, 113, 114, 117, 119, 126, 160, 302,                 // identities, capabilities, limits
        103, 163, 164, 167, 168, 169, 170, 171, 172, 173, 175, 176, 179, 227, 246, 305, 313, 320, // the machine itself
    ];

    public static unsafe bool Install()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return false;
        var program = Program();
        fixed (Instruction* first = program)
        {
            var header = new Header((ushort)program.Length, first);
            const int setNoNewPrivileges = 38, seccomp = 317, modeFilter = 1, allThreads = 1;
            return Control(setNoNewPrivileges, 1, 0, 0, 0) == 0 && Call(seccomp, modeFilter, allThreads, (nint)(&header)) == 0;
        }
    }

    static Instruction[] Program()
    {
        const uint number = 0, architecture = 4, firstArgument = 16;
        List<Instruction> program =
        [
            new(LoadWord, 0, 0, architecture), new(JumpIfEqual, 1, 0, ArchitectureX64), new(Return, 0, 0, Kill),
            new(LoadWord, 0, 0, number), new(JumpIfAtLeast, 0, 1, ForeignNumbers), new(Return, 0, 0, Errno | NotPermitted),
        ];
        foreach (var call in RefusedCalls)
            program.AddRange([new(JumpIfEqual, 0, 1, call), new(Return, 0, 0, Errno | NotPermitted)]);
        program.AddRange(
        [
            // The C library falls back to clone, whose flags can be read: a new thread may be, a new process not.
            new(JumpIfEqual, 0, 1, Clone3), new(Return, 0, 0, Errno | NotImplemented),
            new(JumpIfEqual, 0, 3, Clone), new(LoadWord, 0, 0, firstArgument), new(JumpIfSet, 1, 0, CloneThread),
            new(Return, 0, 0, Errno | NotPermitted),
            new(Return, 0, 0, Allow),
        ]);
        return [.. program];
    }

    readonly struct Instruction(ushort code, byte whenTrue, byte whenFalse, uint value)
    {
        public readonly ushort Code = code;
        public readonly byte WhenTrue = whenTrue, WhenFalse = whenFalse;
        public readonly uint Value = value;
    }

    readonly unsafe struct Header(ushort length, Instruction* first)
    {
        public readonly ushort Length = length;
        public readonly Instruction* First = first;
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, nint operation, nint flags, nint argument);
}
