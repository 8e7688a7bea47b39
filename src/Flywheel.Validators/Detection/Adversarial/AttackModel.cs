using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Flywheel.Core.Detection;

namespace Flywheel.Validators.Detection.Adversarial;

/// <summary>The trained weights and where they say attack: what <c>flywheel models train-adversarial</c> writes.</summary>
/// <param name="Threshold">Log-odds from which a text counts as an attack.</param>
/// <param name="Sources">In words: which rows the weights were learned from, with their licences.</param>
public sealed record AttackModel(HashedClassifier Classifier, double Threshold, string Sources)
{
    const string Mark = "flywheel-attacks/1";
    const int MaxWeights = 1 << 22;

    static readonly Lazy<AttackModel> LazyShipped = new(() =>
    {
        using var stream = typeof(AttackModel).Assembly.GetManifestResourceStream("detection/attacks.fwm")!;
        return Read(stream);
    });

    /// <summary>No weights: structure and characters alone decide.</summary>
    public static AttackModel RulesOnly { get; } = new(new(new sbyte[2], 1, 0), 6, "none");

    /// <summary>The weights that come with this version.</summary>
    public static AttackModel Shipped => LazyShipped.Value;

    /// <summary>Hash of the weights and the threshold, for a validator's version.</summary>
    public string Version { get; } = HashOf(Classifier, Threshold);

    /// <exception cref="InvalidDataException">It is no such file, or a damaged one.</exception>
    public static AttackModel Read(Stream stream)
    {
        try
        {
            using var unzipped = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
            using var reader = new BinaryReader(unzipped, Encoding.UTF8);
            if (reader.ReadString() != Mark)
                throw new InvalidDataException("The file holds no weights of this version of Flywheel: train them again.");
            var sources = reader.ReadString();
            var threshold = reader.ReadDouble();
            var (scale, intercept, size) = (reader.ReadSingle(), reader.ReadSingle(), reader.ReadInt32());
            if (size is < 2 or > MaxWeights || (size & (size - 1)) != 0 || !double.IsFinite(threshold) || !float.IsFinite(scale)
                || !float.IsFinite(intercept))
                throw new InvalidDataException("The file of weights is damaged: train them again.");
            var weights = new sbyte[size];
            reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(weights.AsSpan()));
            return new(new(weights, scale, intercept), threshold, sources);
        }
        catch (Exception error) when (error is EndOfStreamException or FormatException)
        {
            throw new InvalidDataException("The file of weights is damaged: train them again.", error);
        }
    }

    public void Write(Stream stream)
    {
        using var zipped = new GZipStream(stream, CompressionLevel.SmallestSize, leaveOpen: true);
        using var writer = new BinaryWriter(zipped, Encoding.UTF8);
        writer.Write(Mark);
        writer.Write(Sources);
        writer.Write(Threshold);
        writer.Write(Classifier.Scale);
        writer.Write(Classifier.Intercept);
        writer.Write(Classifier.Weights.Length);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Classifier.Weights));
    }

    static string HashOf(HashedClassifier classifier, double threshold)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(classifier.Weights));
        hash.AppendData(BitConverter.GetBytes(classifier.Scale));
        hash.AppendData(BitConverter.GetBytes(classifier.Intercept));
        hash.AppendData(BitConverter.GetBytes(threshold));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 4));
    }
}
