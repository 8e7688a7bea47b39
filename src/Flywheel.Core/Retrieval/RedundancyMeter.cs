namespace Flywheel.Core.Retrieval;

/// <summary>Cosines among stored rows, from their 8-bit vectors: within 0.01, which is enough to tell a repetition.</summary>
internal sealed unsafe class RedundancyMeter(int stride)
{
    private readonly sbyte[] _bytes = new sbyte[stride];
    private readonly short[] _words = new short[stride];

    /// <summary>In [0, 1]; opposite rows are as little of a repetition as unrelated ones.</summary>
    public double Cosine(Candidate a, Candidate b)
    {
        var offset = Load(a);
        return Measure(a, b, offset);
    }

    /// <summary>Raises each candidate's redundancy by a row that has just been chosen.</summary>
    public void Raise(Candidate chosen, List<Candidate> others)
    {
        var offset = Load(chosen);
        foreach (var other in others)
            other.Redundancy = Math.Max(other.Redundancy, Measure(chosen, other, offset));
    }

    private int Load(Candidate row)
    {
        var high = row.Segment.HighOf(row.Row);
        var sum = 0;
        for (var i = 0; i < high.Length; i++)
        {
            var value = high[i] - QuantisedVector.Zero;
            _bytes[i] = (sbyte)value;
            _words[i] = (short)value;
            sum += value;
        }

        return QuantisedVector.Zero * sum;
    }

    private double Measure(Candidate loaded, Candidate other, int offset)
    {
        int dot;
        fixed (sbyte* bytes = _bytes)
        fixed (short* words = _words)
        fixed (byte* row = other.Segment.HighOf(other.Row))
            ScanKernel.Dots(row, 1, new(bytes, words, stride, offset), &dot);
        return Math.Clamp((double)dot * loaded.Segment.Scale[loaded.Row] * other.Segment.Scale[other.Row], 0, 1);
    }
}
