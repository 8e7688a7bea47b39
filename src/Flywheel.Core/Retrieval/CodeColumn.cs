namespace Flywheel.Core.Retrieval;

/// <summary>The <see cref="BinaryCode"/>s of a segment's rows for one bit a dimension, and what they are worth.</summary>
internal sealed class CodeColumn
{
    // Vectors of eight may read beyond the last row.
    private const int Beyond = 7;

    public CodeColumn(int capacity, SegmentLayout layout)
    {
        BlockBytes = BinaryCode.BlockRows * layout.CodeBytes;
        (Bytes, Offset) = AlignedBytes.Allocate((capacity + BinaryCode.BlockRows - 1) / BinaryCode.BlockRows * BlockBytes);
        Factors = new float[capacity + Beyond];
        Deviations = new float[capacity + Beyond];
    }

    /// <summary>Blocks of codes from <see cref="Offset"/> on.</summary>
    public byte[] Bytes { get; }

    public int Offset { get; }

    /// <summary>Bytes of the codes of <see cref="BinaryCode.BlockRows"/> rows.</summary>
    public int BlockBytes { get; }

    /// <summary>Of <see cref="CodeScale"/>, by row.</summary>
    public float[] Factors { get; }

    /// <summary>Of <see cref="CodeScale"/>, by row.</summary>
    public float[] Deviations { get; }

    public long MemoryBytes => Bytes.Length + 4L * (Factors.Length + Deviations.Length);

    public Span<byte> BlockOf(int row) => Bytes.AsSpan(Offset + row / BinaryCode.BlockRows * BlockBytes, BlockBytes);

    public void SetScale(int row, CodeScale scale) => (Factors[row], Deviations[row]) = scale;

    public void Copy(int row, CodeColumn source, int from)
    {
        BinaryCode.Copy(source.BlockOf(from), from % BinaryCode.BlockRows, BlockOf(row), row % BinaryCode.BlockRows);
        Factors[row] = source.Factors[from];
        Deviations[row] = source.Deviations[from];
    }
}
