namespace Flywheel.Core.Retrieval;

/// <summary>What all rows of an index have in common: how a vector of its dimensions is laid out.</summary>
internal sealed class SegmentLayout(int dimensions)
{
    /// <summary>Bytes of a row's 8-bit vector.</summary>
    public int Stride { get; } = QuantisedVector.Padded(dimensions);

    /// <summary>Applied to vectors before they become a <see cref="BinaryCode"/>.</summary>
    public RandomRotation Rotation { get; } = new(dimensions);

    /// <summary>Bytes of a row's code.</summary>
    public int CodeBytes => Rotation.Size / 8;
}
