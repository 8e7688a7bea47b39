namespace Flywheel.Core.Retrieval;

/// <summary>When similarity is estimated from codes before it is read from vectors, and with what care.</summary>
/// <param name="FromBytes">Size of an index's 8-bit vectors from which on it pays; smaller ones are read whole.</param>
/// <param name="Deviations">
/// Standard deviations by which a similarity may exceed its estimate before its row can be missed. 3: a row that belongs to the
/// best and is no better than the least of them is missed once in some 700 times.
/// </param>
/// <param name="Few">
/// Rows whose vectors are read at once when they could be among the best; where there are more, and more than a 64th of all, a
/// second bit a dimension is asked first. A vector out of order costs about as much as that bit of 64 rows in order.
/// </param>
internal sealed record Estimation(long FromBytes, float Deviations, int Few)
{
    /// <summary>From where the vectors stop fitting into a core's cache beside everything else.</summary>
    public static Estimation Default { get; } = new(2 << 20, 3, 1_000);
}
