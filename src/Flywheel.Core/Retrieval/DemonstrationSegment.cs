namespace Flywheel.Core.Retrieval;

/// <summary>Up to <see cref="Capacity"/> rows of an index in columns; a row, once published, changes only by dying.</summary>
/// <remarks>
/// <para>
/// A vector of d dimensions takes 2 d bytes: 8 bits a dimension that the scan reads, and 8 more that sharpen the few
/// candidates worth it: x = scale * (high + (low - 127.5) / 256), high in [-127, 127] stored with 128 added. (With 4
/// bits to sharpen, recall@10 was 0.999; with 8 it is 1.) Two <see cref="BinaryCode"/>s of one bit a dimension (d rounded up to
/// a power of two), from which large indexes estimate what the 8 bits would say. Beside them a row takes 85 bytes, 2 a
/// distinct word, and the caller's strings.
/// </para>
/// <para>
/// One writer fills rows and publishes them in an <see cref="IndexSnapshot"/>; readers see only rows below the
/// snapshot's count and count a row as dead when it died at or before the snapshot's version.
/// </para>
/// </remarks>
internal sealed class DemonstrationSegment
{
    public const long Alive = long.MaxValue;

    private ushort[] _terms = [];
    private int _termCount;

    public DemonstrationSegment(int capacity, SegmentLayout layout)
    {
        Capacity = capacity;
        Layout = layout;
        (High, HighOffset) = AlignedBytes.Allocate(capacity * Stride);
        Low = new byte[capacity * Stride];
        Scale = new float[capacity];
        Signs = new(capacity, layout);
        Finer = new(capacity, layout);
        ApprovedTicks = new long[capacity];
        DiedAt = new long[capacity];
        Disagreement = new float[capacity];
        IsFixed = new bool[capacity];
        Ids = new Guid[capacity];
        Texts = new string[capacity];
        Answers = new string[capacity];
        EndUsers = new string?[capacity];
        TermEnds = new int[capacity];
    }

    public int Capacity { get; }

    public SegmentLayout Layout { get; }

    public int Stride => Layout.Stride;

    /// <summary>Rows written; readers use the count of their snapshot.</summary>
    public int Count { get; private set; }

    /// <summary>Rows that have died; 0 lets a scan skip the look at <see cref="DiedAt"/>.</summary>
    public int Dead { get; private set; }

    public byte[] High { get; }

    public int HighOffset { get; }

    public byte[] Low { get; }

    public float[] Scale { get; }

    /// <summary>One bit a dimension.</summary>
    public CodeColumn Signs { get; }

    /// <summary>One more; its scales are those of both bits.</summary>
    public CodeColumn Finer { get; }

    public long[] ApprovedTicks { get; }

    /// <summary>Version of the index at which the row was removed; <see cref="Alive"/> until then.</summary>
    public long[] DiedAt { get; }

    public float[] Disagreement { get; }

    public bool[] IsFixed { get; }

    public Guid[] Ids { get; }

    public string[] Texts { get; }

    public string[] Answers { get; }

    public string?[] EndUsers { get; }

    private int[] TermEnds { get; }

    /// <summary>Without the strings that rows refer to.</summary>
    public long MemoryBytes =>
        High.Length + Low.Length + Signs.MemoryBytes + Finer.MemoryBytes + 2L * _terms.Length
            + (long)Capacity * (4 + 8 + 8 + 4 + 1 + 16 + 3 * IntPtr.Size + 4);

    /// <summary>Hashes of the distinct words of the row's text.</summary>
    public ReadOnlySpan<ushort> Terms(int row)
    {
        var start = row == 0 ? 0 : TermEnds[row - 1];
        return _terms.AsSpan(start, TermEnds[row] - start);
    }

    public ReadOnlySpan<byte> HighOf(int row) => High.AsSpan(HighOffset + row * Stride, Stride);

    public ReadOnlySpan<byte> LowOf(int row) => Low.AsSpan(row * Stride, Stride);

    public void Append(IndexedDemonstration demonstration, string answer, ReadOnlySpan<ushort> terms)
    {
        var row = Count;
        Scale[row] = QuantisedVector.Write(
            demonstration.Vector, High.AsSpan(HighOffset + row * Stride, Stride), Low.AsSpan(row * Stride, Stride));
        Span<float> rotated = stackalloc float[Layout.Rotation.Size];
        Layout.Rotation.Apply(demonstration.Vector, rotated);
        var (first, both) = BinaryCode.Write(rotated, Signs.BlockOf(row), Finer.BlockOf(row), row % BinaryCode.BlockRows);
        Signs.SetScale(row, first);
        Finer.SetScale(row, both);
        ApprovedTicks[row] = demonstration.ApprovedAt.UtcTicks;
        DiedAt[row] = Alive;
        Disagreement[row] = (float)demonstration.Disagreement;
        IsFixed[row] = demonstration.IsFixed;
        Ids[row] = demonstration.Id;
        Texts[row] = demonstration.Text;
        Answers[row] = answer;
        EndUsers[row] = demonstration.EndUser;
        AppendTerms(row, terms);
        Count = row + 1;
    }

    public void AppendFrom(DemonstrationSegment source, int from)
    {
        var row = Count;
        source.HighOf(from).CopyTo(High.AsSpan(HighOffset + row * Stride, Stride));
        source.LowOf(from).CopyTo(Low.AsSpan(row * Stride, Stride));
        Scale[row] = source.Scale[from];
        Signs.Copy(row, source.Signs, from);
        Finer.Copy(row, source.Finer, from);
        ApprovedTicks[row] = source.ApprovedTicks[from];
        DiedAt[row] = Alive;
        Disagreement[row] = source.Disagreement[from];
        IsFixed[row] = source.IsFixed[from];
        Ids[row] = source.Ids[from];
        Texts[row] = source.Texts[from];
        Answers[row] = source.Answers[from];
        EndUsers[row] = source.EndUsers[from];
        AppendTerms(row, source.Terms(from));
        Count = row + 1;
    }

    public void Kill(int row, long version)
    {
        Dead++;
        Volatile.Write(ref DiedAt[row], version);
    }

    private void AppendTerms(int row, ReadOnlySpan<ushort> terms)
    {
        if (_termCount + terms.Length > _terms.Length)
        {
            // Readers may hold the old array; it stays right for the rows they can see.
            var grown = new ushort[Math.Max(_terms.Length * 2, _termCount + terms.Length * 8)];
            _terms.AsSpan(0, _termCount).CopyTo(grown);
            _terms = grown;
        }

        terms.CopyTo(_terms.AsSpan(_termCount));
        _termCount += terms.Length;
        TermEnds[row] = _termCount;
    }
}
