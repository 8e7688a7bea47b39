using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Flywheel.Storage.Sqlite;

/// <summary>
/// SQLite's own functions where the wrapper costs more than the work: it copies every text that is bound (allocate, copy, free), and
/// leaves and enters the runtime for each of some twenty short calls a row.
/// </summary>
internal static unsafe class SqliteNative
{
    static readonly nint Library = NativeLibrary.Load(Prepare(), typeof(raw).Assembly, null);
    static readonly delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, byte*, int, nint, int> Text =
        (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, byte*, int, nint, int>)NativeLibrary.GetExport(
            Library, "sqlite3_bind_text");
    static readonly delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, long, int> Int64 =
        (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, long, int>)NativeLibrary.GetExport(Library, "sqlite3_bind_int64");
    static readonly delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, double, int> Double =
        (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, double, int>)NativeLibrary.GetExport(Library, "sqlite3_bind_double");
    static readonly delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, int> Null =
        (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, int, int>)NativeLibrary.GetExport(Library, "sqlite3_bind_null");

    /// <summary>
    /// Stops SQLite from counting its memory, for which every allocation of every connection takes one lock of the process. Works only
    /// before the process's first connection; afterwards it changes nothing.
    /// </summary>
    public static void Initialize() => RuntimeHelpers.RunClassConstructor(typeof(SqliteNative).TypeHandle);

    /// <summary>The text is not copied: it must stay where it is until the value is bound anew or the bindings are cleared.</summary>
    public static void BindText(sqlite3_stmt statement, int index, byte* text, int length) =>
        Text(statement.DangerousGetHandle(), index, text, length, 0);

    public static void Bind(sqlite3_stmt statement, int index, long value) => Int64(statement.DangerousGetHandle(), index, value);

    public static void Bind(sqlite3_stmt statement, int index, double value) => Double(statement.DangerousGetHandle(), index, value);

    public static void BindNull(sqlite3_stmt statement, int index) => Null(statement.DangerousGetHandle(), index);

    static string Prepare()
    {
        Batteries_V2.Init();
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
        return raw.GetNativeLibraryName();
    }
}
