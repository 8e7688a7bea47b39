using System.Security.Cryptography;
using System.Text;
using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Models.Offline;

/// <summary>Word statistics of the distinct questions a model was shown; it stops learning at 65,536.</summary>
internal sealed class SeenTexts
{
    private const int Most = 1 << 16;

    private readonly HashSet<UInt128> _seen = [];
    private readonly Lock _gate = new();

    public Lexicon Lexicon { get; } = new();

    public void Add(IEnumerable<string> texts)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        lock (_gate)
        {
            foreach (var text in texts)
            {
                if (_seen.Count >= Most)
                    return;
                SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
                if (_seen.Add(BitConverter.ToUInt128(hash)))
                    Lexicon.Add(text);
            }
        }
    }
}
