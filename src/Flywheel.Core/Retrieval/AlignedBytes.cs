using System.Runtime.InteropServices;

namespace Flywheel.Core.Retrieval;

/// <summary>Memory that a scan may take the address of without holding the collector up, aligned to cache lines.</summary>
internal static class AlignedBytes
{
    /// <returns>A pinned array and where in it the first of <paramref name="length"/> aligned bytes is.</returns>
    public static (byte[] Bytes, int Offset) Allocate(int length)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(length + 64, pinned: true);
        return (bytes, (int)((64 - (Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0) & 63)) & 63));
    }
}
